// transformers' GemmaForCausalLM: norms that multiply by 1 + weight, GeGLU, a scaled embedding.
#include "model/families/gemma_keys.h"
#include "model/family.h"

namespace lmpo {
namespace {

void read_gemma(const ConfigReader& reader, ModelConfig& config) {
  read_gemma_keys(reader, config);
}

void write_gemma(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
}

}  // namespace

Family gemma_family() {
  return {.model_type = "gemma",
          .class_prefix = "Gemma",
          .gguf_architecture = "gemma",
          .defaults = {.vocab_size = 256000,
                       .hidden_size = 3072,
                       .intermediate_size = 24576,
                       .layers = 28,
                       .heads = 16,
                       .key_heads = 16,
                       .head_size = 256,
                       .max_positions = 8192,
                       .activation = Activation::gelu_tanh,
                       .tied = true,
                       .bos_id = 2,
                       .eos_id = 1,
                       .pad_id = 0},
          .read = read_gemma,
          .write = write_gemma};
}

}  // namespace lmpo

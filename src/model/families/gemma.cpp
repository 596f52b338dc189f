// transformers' GemmaForCausalLM: norms that multiply by 1 + weight, GeGLU, a scaled embedding.
#include "model/families/gemma_keys.h"

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
          .defaults = kGemmaDefaults,
          .read = read_gemma,
          .write = write_gemma};
}

}  // namespace lmpo

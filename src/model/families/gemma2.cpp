// transformers' Gemma2ForCausalLM: Gemma with norms on both sides of a sublayer, softcaps, and a
// window in every other layer.
#include "model/families/gemma_keys.h"
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_gemma2(const ConfigReader& reader, ModelConfig& config) {
  read_gemma2_keys(reader, 50, 30, config);
  read_layer_types(
      reader, read_window(reader, 4096), [](std::int64_t layer) { return layer % 2 == 0; }, config);
}

void write_gemma2(const ModelConfig& config, ordered_json& object) {
  put_gemma2_keys(config, object);
  put_layer_types(config, object);
}

}  // namespace

Family gemma2_family() {
  return {.model_type = "gemma2",
          .class_prefix = "Gemma2",
          .gguf_architecture = "gemma2",
          .activation_key = "hidden_activation",
          .defaults = {.vocab_size = 256000,
                       .hidden_size = 2304,
                       .intermediate_size = 9216,
                       .layers = 26,
                       .heads = 8,
                       .key_heads = 4,
                       .head_size = 256,
                       .max_positions = 8192,
                       .activation = Activation::gelu_tanh,
                       .tied = true,
                       .bos_id = 2,
                       .eos_id = 1,
                       .pad_id = 0},
          .read = read_gemma2,
          .write = write_gemma2};
}

}  // namespace lmpo

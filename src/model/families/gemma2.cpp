// transformers' Gemma2ForCausalLM: Gemma with norms on both sides of a sublayer, softcaps, and a
// window in every other layer.
#include "model/families/gemma_keys.h"
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
          .defaults = gemma2_defaults(256000, 8192),
          .read = read_gemma2,
          .write = write_gemma2};
}

}  // namespace lmpo

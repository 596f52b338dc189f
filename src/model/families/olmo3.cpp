// transformers' Olmo3ForCausalLM: OLMo 2 with a window in three of four layers, which keep plain
// rotary embeddings where the others are stretched.
#include "model/families/olmo_keys.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_olmo3(const ConfigReader& reader, ModelConfig& config) {
  read_olmo_keys(reader, config);
  read_layer_types(
      reader, read_window(reader, 4096), [](std::int64_t layer) { return (layer + 1) % 4 != 0; },
      config, 1);
}

void write_olmo3(const ModelConfig& config, ordered_json& object) {
  put_olmo_keys(config, object);
  put_layer_types(config, object);
}

}  // namespace

Family olmo3_family() {
  return {.model_type = "olmo3",
          .class_prefix = "Olmo3",
          .gguf_architecture = "olmo2",  // llama.cpp's name for both
          .defaults = kOlmoDefaults,
          .rope = {.theta = 500000, .by_layer_type = true, .window_theta = 500000},
          .read = read_olmo3,
          .write = write_olmo3};
}

}  // namespace lmpo

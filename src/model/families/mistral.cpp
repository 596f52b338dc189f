// transformers' MistralForCausalLM: Llama with a sliding window, and without biases.
#include "model/family.h"

namespace lmpo {
namespace {

void read_mistral(const ConfigReader& reader, ModelConfig& config) {
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (reader.has(key) && reader.value(key, false)) {
      reader.wrong(key, "true is not supported: Mistral's projections have no bias");
    }
  }
  const bool none = !reader.absent("sliding_window") && !reader.has("sliding_window");
  config.sliding_window = none ? 0 : reader.size("sliding_window", 4096, kLongestContext);
}

void write_mistral(const ModelConfig& config, ordered_json& object) {
  put(object, "sliding_window",
      config.sliding_window == 0 ? ordered_json() : ordered_json(config.sliding_window));
}

}  // namespace

Family mistral_family() {
  return {.model_type = "mistral",
          .class_prefix = "Mistral",
          .gguf_architecture = "llama",  // llama.cpp's name for both
          .defaults = {.intermediate_size = 14336, .max_positions = 131072, .key_heads = 8},
          .read = read_mistral,
          .write = write_mistral};
}

}  // namespace lmpo

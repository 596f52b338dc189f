// transformers' MistralForCausalLM: Llama with a sliding window, and without biases.
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_mistral(const ConfigReader& reader, ModelConfig& config) {
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (reader.has(key) && reader.value(key, false)) {
      reader.wrong(key, "true is not supported: Mistral's projections have no bias");
    }
  }
  read_one_window(reader, 4096, config);
}

}  // namespace

Family mistral_family() {
  return {.model_type = "mistral",
          .class_prefix = "Mistral",
          .gguf_architecture = "llama",  // llama.cpp's name for both
          .gguf_turns_pairs = true,
          .defaults = {.intermediate_size = 14336, .key_heads = 8, .max_positions = 131072},
          .read = read_mistral,
          .write = put_one_window};
}

}  // namespace lmpo

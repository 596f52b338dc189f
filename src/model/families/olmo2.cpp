// transformers' Olmo2ForCausalLM: norms only of what a sublayer returns, and of a token's queries and
// keys, all heads together.
#include "model/families/olmo_keys.h"

namespace lmpo {

void read_olmo_keys(const ConfigReader& reader, ModelConfig& config) {
  config.norms_before = false;
  config.norms_after = true;
  config.query_key_norm = QueryKeyNorm::whole;
  read_biases(reader, config);
}

void put_olmo_keys(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
}

Family olmo2_family() {
  return {.model_type = "olmo2",
          .class_prefix = "Olmo2",
          .gguf_architecture = "olmo2",
          .defaults = kOlmoDefaults,
          .read = read_olmo_keys,
          .write = put_olmo_keys};
}

}  // namespace lmpo

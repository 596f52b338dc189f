// transformers' LlamaForCausalLM.
#include "model/family.h"

namespace lmpo {
namespace {

void read_llama(const ConfigReader& reader, ModelConfig& config) {
  require_equal_heads(reader, config);
  if (reader.has("pretraining_tp") && reader.value<std::int64_t>("pretraining_tp", 1) > 1) {
    reader.wrong("pretraining_tp", "more than 1 is not supported; 1 gives the same model");
  }
  read_biases(reader, config);
  config.mlp_bias = reader.value("mlp_bias", false);
}

void write_llama(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
  put_unless_default(object, "mlp_bias", config.mlp_bias, false);
}

}  // namespace

Family llama_family() {
  return {.model_type = "llama",
          .class_prefix = "Llama",
          .gguf_architecture = "llama",
          .gguf_turns_pairs = true,
          .defaults = {.intermediate_size = 11008, .max_positions = 2048},
          .read = read_llama,
          .write = write_llama};
}

}  // namespace lmpo

// transformers' LlamaForCausalLM.
#include "model/family.h"

namespace lmpo {
namespace {

void read_llama(const ConfigReader& reader, ModelConfig& config) {
  // transformers asks this even where head_dim is given.
  if (config.hidden_size % config.heads != 0) {
    reader.wrong("hidden_size", "{} is not a multiple of num_attention_heads {}",
                 config.hidden_size, config.heads);
  }
  config.qkv_bias = reader.value("attention_bias", false);
  config.output_bias = config.qkv_bias;
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
          .defaults = {.intermediate_size = 11008, .max_positions = 2048},
          .read = read_llama,
          .write = write_llama};
}

}  // namespace lmpo

// transformers' Qwen3ForCausalLM: heads of their own size, with a norm of each query and key; windows
// as Qwen2's.
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_qwen3(const ConfigReader& reader, ModelConfig& config) {
  config.query_key_norm = QueryKeyNorm::head;
  read_biases(reader, config);
  read_upper_windows(reader, config);
}

void write_qwen3(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
  put_switched_window(config, object);
}

}  // namespace

Family qwen3_family() {
  return {.model_type = "qwen3",
          .class_prefix = "Qwen3",
          .gguf_architecture = "qwen3",
          .defaults = {.vocab_size = 151936,
                       .intermediate_size = 22016,
                       .key_heads = 32,
                       .head_size = 128,
                       .max_positions = 32768,
                       .bos_id = {},
                       .eos_id = {}},
          .read = read_qwen3,
          .write = write_qwen3};
}

}  // namespace lmpo

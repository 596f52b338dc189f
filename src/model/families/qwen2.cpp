// transformers' Qwen2ForCausalLM (Qwen2 and Qwen2.5): Llama with biases of queries, keys and values,
// and with a window in the upper layers where use_sliding_window says so.
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_qwen2(const ConfigReader& reader, ModelConfig& config) {
  config.qkv_bias = true;
  read_upper_windows(reader, config);
}

}  // namespace

Family qwen2_family() {
  return {.model_type = "qwen2",
          .class_prefix = "Qwen2",
          .gguf_architecture = "qwen2",
          .defaults = {.vocab_size = 151936,
                       .intermediate_size = 22016,
                       .key_heads = 32,
                       .max_positions = 32768,
                       .bos_id = {},
                       .eos_id = {}},
          .read = read_qwen2,
          .write = put_switched_window};
}

}  // namespace lmpo

// transformers' Gemma3ForCausalLM: Gemma 2 with norms of each query and key, and with rotary tables
// of their own for the layers with a window, five of six.
#include "model/families/gemma_keys.h"
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_gemma3_text(const ConfigReader& reader, ModelConfig& config) {
  read_gemma2_keys(reader, 0, 0, config);
  config.query_key_norm = QueryKeyNorm::head;
  const std::int64_t period = reader.size("sliding_window_pattern", 6, kMostLayers);
  read_layer_types(
      reader, read_window(reader, 4096),
      [&](std::int64_t layer) { return (layer + 1) % period != 0; }, config, 1);
}

void write_gemma3_text(const ModelConfig& config, ordered_json& object) {
  put_gemma2_keys(config, object);
  put_layer_types(config, object);
}

}  // namespace

Family gemma3_text_family() {
  return {.model_type = "gemma3_text",
          .class_prefix = "Gemma3",
          .gguf_architecture = "gemma3",
          .activation_key = "hidden_activation",
          .defaults = {.vocab_size = 262208,
                       .hidden_size = 2304,
                       .intermediate_size = 9216,
                       .layers = 26,
                       .heads = 8,
                       .key_heads = 4,
                       .head_size = 256,
                       .max_positions = 131072,
                       .activation = Activation::gelu_tanh,
                       .tied = true,
                       .bos_id = 2,
                       .eos_id = 1,
                       .pad_id = 0},
          .rope = {.theta = 1000000,
                   .by_layer_type = true,
                   .window_theta = 10000,
                   .window_theta_key = "rope_local_base_freq"},
          .read = read_gemma3_text,
          .write = write_gemma3_text};
}

}  // namespace lmpo

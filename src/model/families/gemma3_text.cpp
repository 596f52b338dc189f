// transformers' Gemma3ForCausalLM: Gemma 2 with norms of each query and key, and with rotary tables
// of their own for the layers with a window, five of six.
#include "base/log.h"
#include "model/families/gemma_keys.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

void read_gemma3_text(const ConfigReader& reader, ModelConfig& config) {
  read_gemma2_keys(reader, 0, 0, config);
  if (config.attention_softcap != 0) {
    log_warning(
        "attn_logit_softcapping of config.json is not applied: transformers computes Gemma 3 "
        "without "
        "it, too");
    config.attention_softcap = 0;
  }
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
          .defaults = gemma2_defaults(262208, 131072),
          .rope = {.theta = 1000000,
                   .by_layer_type = true,
                   .window_theta = 10000,
                   .window_theta_key = "rope_local_base_freq"},
          .read = read_gemma3_text,
          .write = write_gemma3_text};
}

}  // namespace lmpo

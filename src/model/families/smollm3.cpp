// transformers' SmolLM3ForCausalLM: Llama whose every fourth layer has no rotary embedding.
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

constexpr const char* kRopeLayers = "no_rope_layers";  // in spite of its name, 1 is with rope

std::vector<bool> read_rope_layers(const ConfigReader& reader, std::int64_t layers) {
  std::vector<bool> turns;
  if (!reader.has(kRopeLayers)) {
    const std::int64_t period = reader.size("no_rope_layer_interval", 4, kMostLayers);
    for (std::int64_t l = 0; l < layers; ++l) {
      turns.push_back((l + 1) % period != 0);
    }
    return turns;
  }
  const json& list = reader.at(kRopeLayers);
  if (!list.is_array() || std::ssize(list) < layers) {
    reader.wrong(kRopeLayers,
                 "a list of {} numbers was expected, one for each of the "
                 "num_hidden_layers",
                 layers);
  }
  for (const json& item : list) {
    if (item != 0 && item != 1) {
      reader.wrong(kRopeLayers, "0 and 1 were expected, not {}", item.dump());
    }
    turns.push_back(item == 1);
  }
  return turns;
}

void read_smollm3(const ConfigReader& reader, ModelConfig& config) {
  read_biases(reader, config);
  config.mlp_bias = reader.value("mlp_bias", false);
  const std::vector<bool> turns = read_rope_layers(reader, config.layers);
  const std::int64_t window = read_switched_window(reader, 0);
  const auto slides = [&](std::int64_t layer) {
    return window > 0 && !turns[static_cast<std::size_t>(layer)];
  };
  read_layer_types(reader, window, slides, config);
  for (std::size_t l = 0; l < config.layer_attention.size(); ++l) {
    if (!turns[l]) {
      config.layer_attention[l].rope = std::nullopt;
    }
  }
}

void write_smollm3(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
  put_unless_default(object, "mlp_bias", config.mlp_bias, false);
  if (!object.contains(kRopeLayers) || object[kRopeLayers].is_null()) {
    ordered_json turns = ordered_json::array();
    for (const LayerAttention& layer : config.layer_attention) {
      turns.push_back(layer.rope ? 1 : 0);
    }
    object[kRopeLayers] = turns;
  }
  put_switched_window(config, object);
}

}  // namespace

Family smollm3_family() {
  return {.model_type = "smollm3",
          .class_prefix = "SmolLM3",
          .gguf_architecture = "smollm3",
          .gguf_turns_pairs = true,
          .defaults = {.vocab_size = 128256,
                       .hidden_size = 2048,
                       .intermediate_size = 11008,
                       .layers = 36,
                       .heads = 16,
                       .key_heads = 4,
                       .max_positions = 32768,
                       .tied = true,
                       .bos_id = 128000,
                       .eos_id = 128001,
                       .pad_id = 128004},
          .rope = {.theta = 2000000},
          .read = read_smollm3,
          .write = write_smollm3};
}

}  // namespace lmpo

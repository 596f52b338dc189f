#include "model/layer_types.h"

#include <algorithm>

namespace lmpo {
namespace {

constexpr const char* kLayerTypes = "layer_types";
constexpr const char* kWindow = "sliding_window";
constexpr const char* kFull = "full_attention";
constexpr const char* kSliding = "sliding_attention";

// Whether each layer slides.
std::vector<bool> read_types(const ConfigReader& reader, std::int64_t layers) {
  const json& list = reader.at(kLayerTypes);
  if (!list.is_array() || std::ssize(list) != layers) {
    reader.wrong(kLayerTypes,
                 "a list of {} names was expected, one for each of the "
                 "num_hidden_layers; it has {}",
                 layers, list.is_array() ? list.size() : 0);
  }
  std::vector<bool> types;
  for (const json& type : list) {
    if (type != kFull && type != kSliding) {
      reader.wrong(kLayerTypes, "{} is not supported; '{}' and '{}' are", type.dump(), kFull,
                   kSliding);
    }
    types.push_back(type == kSliding);
  }
  return types;
}

}  // namespace

void read_layer_types(const ConfigReader& reader, std::int64_t window,
                      const std::function<bool(std::int64_t)>& slides, ModelConfig& config,
                      std::size_t window_rope) {
  std::vector<bool> types;
  if (reader.has(kLayerTypes)) {
    types = read_types(reader, config.layers);
  } else {
    for (std::int64_t l = 0; l < config.layers; ++l) {
      types.push_back(slides(l));
    }
  }
  for (std::size_t l = 0; l < types.size(); ++l) {
    if (!types[l]) {
      continue;
    }
    if (window == 0) {
      reader.wrong(kWindow, "there is none, but layer {} has sliding attention", l);
    }
    config.layer_attention[l] = {.window = window, .rope = window_rope};
  }
}

std::int64_t read_window(const ConfigReader& reader, std::int64_t fallback) {
  const bool is_null = !reader.absent(kWindow) && !reader.has(kWindow);
  const bool none = is_null || (reader.absent(kWindow) && fallback == 0);
  return none ? 0 : reader.size(kWindow, fallback, kLongestContext);
}

void read_one_window(const ConfigReader& reader, std::int64_t fallback, ModelConfig& config) {
  const std::int64_t window = read_window(reader, fallback);
  read_layer_types(
      reader, window, [&](std::int64_t) { return window > 0; }, config);
  for (const LayerAttention& layer : config.layer_attention) {
    if (layer.window != window) {
      reader.wrong(kLayerTypes,
                   "'{}' beside sliding_window {} is not supported in this family, "
                   "whose layers are all alike",
                   kFull, window);
    }
  }
}

std::int64_t read_switched_window(const ConfigReader& reader, std::int64_t fallback) {
  const bool used = reader.has("use_sliding_window") && reader.value("use_sliding_window", false);
  return used ? read_window(reader, fallback) : 0;
}

void read_upper_windows(const ConfigReader& reader, ModelConfig& config) {
  const std::int64_t window = read_switched_window(reader, 4096);
  const auto first = reader.value<std::int64_t>("max_window_layers", 28);
  read_layer_types(
      reader, window, [&](std::int64_t layer) { return window > 0 && layer >= first; }, config);
}

void put_layer_types(const ModelConfig& config, ordered_json& object) {
  ordered_json types = ordered_json::array();
  for (const LayerAttention& layer : config.layer_attention) {
    types.push_back(layer.window > 0 ? kSliding : kFull);
  }
  put(object, kLayerTypes, types);
  if (const std::int64_t window = widest_window(config); window > 0) {
    put(object, kWindow, window);
  }
}

void put_one_window(const ModelConfig& config, ordered_json& object) {
  const std::int64_t window = widest_window(config);
  put(object, kWindow, window == 0 ? ordered_json() : ordered_json(window));
}

void put_switched_window(const ModelConfig& config, ordered_json& object) {
  if (widest_window(config) > 0) {
    put(object, "use_sliding_window", true);
    put_layer_types(config, object);
  }
}

}  // namespace lmpo

// The keys of config.json that say in which layers attention has a window: layer_types and
// sliding_window.
#pragma once

#include <functional>

#include "model/config.h"
#include "model/config_reader.h"

namespace lmpo {

// Gives layers with sliding attention their window: those that layer_types names, or where it is
// absent those for which `slides` is true. `window_rope` is the rotary table of such layers. UserError
// for a list of another length, for a type that lmpo does not compute, and where layers slide but
// `window` is 0.
void read_layer_types(const ConfigReader& reader, std::int64_t window,
                      const std::function<bool(std::int64_t layer)>& slides, ModelConfig& config,
                      std::size_t window_rope = 0);
// sliding_window: 0 where it is null.
std::int64_t read_window(const ConfigReader& reader, std::int64_t fallback);
// The same window in every layer. UserError for layer_types that say something else, which
// transformers ignores.
void read_one_window(const ConfigReader& reader, std::int64_t fallback, ModelConfig& config);
// Qwen's and SmolLM3's: 0 too where use_sliding_window is not true.
std::int64_t read_switched_window(const ConfigReader& reader, std::int64_t fallback);
// Qwen's: a window in the layers from max_window_layers on.
void read_upper_windows(const ConfigReader& reader, ModelConfig& config);

// Sets layer_types, and sliding_window where a layer has one.
void put_layer_types(const ModelConfig& config, ordered_json& object);
// Sets sliding_window, to null where there is none.
void put_one_window(const ModelConfig& config, ordered_json& object);
// As put_layer_types, with use_sliding_window; nothing where no layer has a window.
void put_switched_window(const ModelConfig& config, ordered_json& object);

}  // namespace lmpo

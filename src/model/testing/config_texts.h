// Configurations for tests.
#pragma once

#include <string>

#include "base/testing/test_paths.h"
#include "model/config.h"

namespace lmpo {

inline fs::path golden_folder() {
  return source_folder() / "src/model/testdata";
}

// A list of {name, config, fields, tables}, by tools/oracle/config_golden.py.
inline ordered_json golden_configs() {
  return ordered_json::parse(read_file(golden_folder() / "configs.json"));
}

// A small Llama, with changes.
inline ordered_json small_config(const ordered_json& changes = ordered_json::object()) {
  ordered_json content = {
      {"model_type", "llama"},    {"vocab_size", 16},        {"hidden_size", 8},
      {"intermediate_size", 12},  {"num_hidden_layers", 2},  {"num_attention_heads", 2},
      {"num_key_value_heads", 1}, {"rms_norm_eps", 1e-05},   {"max_position_embeddings", 32},
      {"rope_theta", 10000.0},    {"torch_dtype", "float32"}};
  content.update(changes);
  return content;
}

inline ModelConfig parse_config(const ordered_json& content) {
  return parse_model_config(content, "config.json");
}

}  // namespace lmpo

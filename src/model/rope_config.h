// The rotary settings of config.json, in the spellings of transformers 4 and 5.
#pragma once

#include "model/config.h"
#include "model/config_reader.h"

namespace lmpo {

// What the rotary settings of a family may say.
struct RopeRules {
  double theta = 10000;  // where config.json does not say
  // Two tables: that of layers with full attention, then that of layers with a window.
  // rope_parameters holds an object for each; rope_theta and rope_scaling are for the first.
  bool by_layer_type = false;
  double window_theta = 0;
  const char* window_theta_key = nullptr;  // transformers 4's, if it has one
  bool turns_in_part = false;              // partial_rotary_factor may be below 1
  bool longrope_only =
      false;  // the types are default and longrope, which is also spelt su and yarn
  // Where original_max_position_embeddings stands beside the table: what it is by default.
  std::optional<std::int64_t> original_positions = {};
  // rope_parameters where config.json has none, as JSON.
  std::string_view parameters = "{}";
};

// The object of a family's one table, or an empty one. UserError for parameters by layer type.
json rope_table(const ConfigReader& reader, const RopeRules& rules);

// `config` has its sizes already. UserError for a table that lmpo does not compute, or whose
// frequencies are not finite.
std::vector<Rope> read_ropes(const ConfigReader& reader, const RopeRules& rules,
                             const ModelConfig& config);
// Writes both spellings: transformers 5 also reads rope_scaling and rope_theta, 4 reads nothing
// else. Keys that say the same stay as they are.
void put_ropes(ordered_json& object, const RopeRules& rules, const ModelConfig& config);

// UserError where the longest sequence has more tokens than a table of type dynamic is for: what
// transformers computes of it depends on the others of its batch.
void check_longest_sequence(const ModelConfig& config, std::int64_t tokens);

}  // namespace lmpo

// The rotary settings of config.json, in the spellings of transformers 4 and 5.
#pragma once

#include "model/config.h"
#include "model/config_reader.h"

namespace lmpo {

struct RopeConfig {
  double theta = 10000;
  RopeScaling scaling;
  bool operator==(const RopeConfig&) const = default;
};

// `object` is the whole of config.json. UserError for a kind of scaling that lmpo does not compute.
RopeConfig read_rope(const json& object, std::string_view source, std::int64_t max_positions);
// Writes both spellings: transformers 5 also reads rope_scaling and rope_theta, 4 reads nothing
// else. Keys that say the same stay as they are.
void put_rope(ordered_json& object, const RopeConfig& rope, std::int64_t max_positions);

}  // namespace lmpo

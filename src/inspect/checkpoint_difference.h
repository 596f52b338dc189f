// The differences between two model folders: keys of config.json, text files, tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

struct ConfigDifference {
  std::string key;     // "rope_scaling.factor" in a nested object
  ordered_json first;  // null if the key is missing
  ordered_json second;
};

struct TensorDifference {
  std::string name;
  std::string why;  // why it cannot be compared: "only in the first"; empty otherwise
  // |first - second| over the elements that are finite in both.
  double most = 0;
  double mean = 0;
  std::int64_t not_finite = 0;  // elements that are not finite in either
};

struct CheckpointDifference {
  std::string first;
  std::string second;
  std::vector<ConfigDifference> config;
  std::vector<std::string> files;  // text files that differ
  std::int64_t equal_tensors = 0;
  // Those that cannot be compared first, then by falling difference.
  std::vector<TensorDifference> tensors;
};

// Holds a part of two tensors in memory at a time. UserError if a folder cannot be read.
CheckpointDifference checkpoint_difference(const fs::path& first, const fs::path& second);

ordered_json to_json(const CheckpointDifference& difference);
void print(const CheckpointDifference& difference, TerminalText& out);

}  // namespace lmpo

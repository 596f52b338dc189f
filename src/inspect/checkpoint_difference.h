// How two model folders differ: keys of config.json, texts, tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

struct ConfigDifference {
  std::string key;     // of a nested object "rope_scaling.factor"
  ordered_json first;  // null where the key is not there
  ordered_json second;
};

struct TensorDifference {
  std::string name;
  std::string why;  // "only in the first", "of another shape"; empty where numbers differ
  // Of |first - second| over numbers that are finite in both.
  double most = 0;
  double mean = 0;
  std::int64_t not_finite = 0;  // numbers that are not, in either
};

struct CheckpointDifference {
  std::string first;
  std::string second;
  std::vector<ConfigDifference> config;
  std::vector<std::string> files;  // of texts, that are not the same in both
  std::int64_t equal_tensors = 0;
  // By how much they differ, those that cannot be compared before all.
  std::vector<TensorDifference> tensors;
};

// Holds a piece of two tensors in memory at a time. UserError for folders that cannot be read.
CheckpointDifference checkpoint_difference(const fs::path& first, const fs::path& second);

ordered_json to_json(const CheckpointDifference& difference);
void print(const CheckpointDifference& difference, TerminalText& out);

}  // namespace lmpo

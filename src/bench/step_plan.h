// The memory of a training step in each of the ways it can be run, from a configuration alone.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "model/freeze.h"
#include "train/memory_plan.h"

namespace lmpo {

// One way to run a step; the values are those of lmpo train's options.
struct StepWay {
  std::string dtype = "auto";
  std::string recompute = "none";
  std::string optim = "adamw_torch";
  std::int64_t micro_batch = 2;  // pairs in a pack
  bool paged_master = false;
  FreezePatterns freeze;

  bool operator==(const StepWay&) const = default;
};

// Where a step keeps weights and moments, and in which types.
StoragePlan storage_of(const ModelConfig& config, const StepWay& way, bool cuda);

struct StepSizes {
  std::int64_t prompt_tokens = 512;
  std::int64_t response_tokens = 512;  // each of the two
  bool cuda = false;                   // else the CPU; needs no GPU
};

// UserError for a model that the device cannot compute.
MemoryPlan plan_step(const ModelConfig& config, const StepSizes& sizes, const StepWay& way);

struct OtherWay {
  std::string flags;  // that ask for it: "--recompute mlp"
  StepWay way;
};
// Each other value of each option than that of `chosen`; last, all that save memory together.
std::vector<OtherWay> other_ways(const StepWay& chosen, bool cuda);

// A table for a person: what each other way needs and saves, and whether it fits into `limit` bytes.
// `plan` is that of `chosen`.
std::string ways_table(const ModelConfig& config, const StepSizes& sizes, const StepWay& chosen,
                       const MemoryPlan& plan, std::size_t limit);
// The same as a list of objects, with all parts of each plan.
ordered_json ways_json(const ModelConfig& config, const StepSizes& sizes, const StepWay& chosen,
                       const MemoryPlan& plan, std::size_t limit);

}  // namespace lmpo

// Times training steps over real or random trees, part by part.
#pragma once

#include <span>
#include <vector>

#include "model/config.h"
#include "ops/timed_ops.h"
#include "train/batch_runner.h"
#include "train/memory_plan.h"
#include "tree/tree.h"

namespace lmpo {

struct StepSpeedOptions {
  std::string objective = "simpo";
  StoragePlan storage = {};
  Recompute recompute = Recompute::none;
  PackLimits limits;
  std::int64_t batch = 8;  // trees in a step
  std::int64_t steps = 4;  // after one to warm up
};

struct StepSpeed {
  double seconds = 0;              // of a step
  StepTimes parts;                 // of a step; on a GPU, of a step that waits after each op
  std::int64_t pairs = 0;          // of all steps
  std::int64_t tokens = 0;         // of all sequences of all steps
  std::int64_t shared_tokens = 0;  // of these, prompt tokens that were not computed a second time
  MemoryPlan memory;
  std::size_t peak_memory = 0;  // of the device, see Device::peak_memory
  std::int64_t parameters = 0;
  std::int64_t largest_pack = 0;  // input tokens
  std::int64_t head_rows = 0;     // of that pack
};

// Runs steps from random weights over the trees, taken in turn. `ops` are the device's. UserError
// where they do not fit into its memory.
StepSpeed measure_steps(const ModelConfig& config, Device& device, Ops& ops,
                        std::span<const Tree> trees, const StepSpeedOptions& options);

// Values for Weights::initialize_from: distributed as a new model's; no two rows are equal.
std::vector<float> random_weights(const ModelConfig& config);

// Pairs with these numbers of tokens and random content.
std::vector<Tree> random_pairs(std::int64_t count, std::int64_t prompt_tokens,
                               std::int64_t response_tokens, std::int64_t vocabulary);

}  // namespace lmpo

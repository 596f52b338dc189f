// Training steps over real or made-up trees, timed by part.
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
  double seconds = 0;       // of a step
  StepTimes parts;          // of a step; of a GPU, of one whose ops were waited for one by one
  std::int64_t pairs = 0;   // of all steps, as are tokens
  std::int64_t tokens = 0;  // of all sequences
  std::int64_t shared_tokens = 0;  // of them, prompts that were not computed again
  MemoryPlan memory;
  std::size_t peak_memory = 0;  // of the device, see Device::peak_memory
  std::int64_t parameters = 0;
  std::int64_t largest_pack = 0;  // input tokens
  std::int64_t head_rows = 0;     // of that pack
};

// Steps over the trees, which are taken in turn, from random weights. `ops` are the device's.
// Throws UserError where they do not fit into its memory.
StepSpeed measure_steps(const ModelConfig& config, Device& device, Ops& ops,
                        std::span<const Tree> trees, const StepSpeedOptions& options);

// Values for Weights::initialize_from: as random as the model's own, and no row like another.
std::vector<float> random_weights(const ModelConfig& config);

// Pairs with these numbers of tokens and random content.
std::vector<Tree> random_pairs(std::int64_t count, std::int64_t prompt_tokens,
                               std::int64_t response_tokens, std::int64_t vocabulary);

}  // namespace lmpo

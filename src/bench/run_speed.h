// How fast a run will be, from a few of its own rows: seconds, instead of the run itself.
#pragma once

#include <span>

#include "model/config.h"
#include "ops/device.h"
#include "train/batch_runner.h"
#include "train/memory_plan.h"
#include "tree/tree.h"

namespace lmpo {

// How the run computes.
struct RunWay {
  StoragePlan storage = {};
  Recompute recompute = Recompute::none;
  PackLimits limits;
};

// By input tokens, as Tree::input_tokens counts them.
struct RunSpeed {
  double train = 0;      // seconds a token, forward and backward
  double score = 0;      // seconds a token, forward alone
  double optimizer = 0;  // seconds a step
  // What was measured: so many trees, through so many of the model's layers.
  std::int64_t trees = 0;
  std::int64_t layers = 0;
  double took = 0;  // seconds
};

// Trains on some of the trees, taken evenly over their order, for about `budget` seconds after the
// first one, with random weights. Of a large model fewer layers and a smaller vocabulary are
// measured, and the time is that times the whole's operations: layers are alike. What is paged to
// a file is not waited for. UserError where even that finds no room. Requires trees.
RunSpeed measure_run_speed(const ModelConfig& config, Device& device, Ops& ops,
                           std::span<const Tree> trees, const RunWay& way, double budget);

// What is measured of a model: itself, or fewer layers and tokens of it.
ModelConfig measured_part(const ModelConfig& config);

}  // namespace lmpo

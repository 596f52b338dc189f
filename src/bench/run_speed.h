// Estimates how fast a run will be from a few of its own rows, in seconds.
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
  // What was measured: how many trees, through how many of the model's layers.
  std::int64_t trees = 0;
  std::int64_t layers = 0;
  double took = 0;  // seconds
};

// Trains with random weights on trees that are spread evenly over the data, for about `budget`
// seconds after a first one. Of a large model only some layers and a part of the vocabulary are
// measured; the time is then scaled by the operations of the whole model, since layers are alike.
// Paging to a file is not measured. UserError where even that does not fit into memory. Requires
// at least one tree.
RunSpeed measure_run_speed(const ModelConfig& config, Device& device, Ops& ops,
                           std::span<const Tree> trees, const RunWay& way, double budget);

// The part of a model that is measured: all of it, or fewer layers and a smaller vocabulary.
ModelConfig measured_part(const ModelConfig& config);

}  // namespace lmpo

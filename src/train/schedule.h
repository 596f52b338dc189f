// The learning rate over a run, as the schedules of transformers compute it.
#pragma once

#include <cstdint>

#include "recipe/train_recipe.h"

namespace lmpo {

// Warm-up steps of a run of `total` steps: warmup_steps (below 1: a fraction of the run), or
// warmup_ratio if that is 0.
std::int64_t warmup_steps(const TrainRecipe& recipe, std::int64_t total);

// The learning rate of step `step` (counted from 0) as a fraction of its peak: linear from 0 during
// `warmup` steps, then the schedule, which ends at step `total`.
double learning_rate_factor(TrainRecipe::Scheduler schedule, std::int64_t step, std::int64_t warmup,
                            std::int64_t total);

}  // namespace lmpo

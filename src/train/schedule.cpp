#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lmpo {

std::int64_t warmup_steps(const TrainRecipe& recipe, std::int64_t total) {
  if (recipe.lr_scheduler_type == TrainRecipe::Scheduler::constant) {
    return 0;
  }
  return recipe.warmup_steps > 0 ? absolute_steps(recipe.warmup_steps, total)
                                 : static_cast<std::int64_t>(
                                       std::ceil(recipe.warmup_ratio * static_cast<double>(total)));
}

double learning_rate_factor(TrainRecipe::Scheduler schedule, std::int64_t step, std::int64_t warmup,
                            std::int64_t total) {
  if (step < warmup) {
    return static_cast<double>(step) / static_cast<double>(warmup);
  }
  const auto after = static_cast<double>(step - warmup);
  const auto length = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  switch (schedule) {
    case TrainRecipe::Scheduler::cosine:
      return std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * after / length)));
    case TrainRecipe::Scheduler::linear:
      return std::max(0.0, 1 - after / length);
    case TrainRecipe::Scheduler::constant:
    case TrainRecipe::Scheduler::constant_with_warmup:
      break;
  }
  return 1;
}

}  // namespace lmpo

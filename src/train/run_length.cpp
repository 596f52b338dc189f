#include "train/run_length.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "train/schedule.h"

namespace lmpo {
namespace {

std::int64_t interval(TrainRecipe::Strategy strategy, double steps, const RunLength& length) {
  switch (strategy) {
    case TrainRecipe::Strategy::no:
      return 0;
    case TrainRecipe::Strategy::epoch:
      return length.steps_per_epoch;
    case TrainRecipe::Strategy::steps:
      break;
  }
  return std::max<std::int64_t>(1, absolute_steps(steps, length.total_steps));
}

}  // namespace

RunLength::RunLength(const TrainRecipe& recipe, std::int64_t examples) {
  const std::int64_t batch = recipe.train_batch_size();
  steps_per_epoch = recipe.dataloader_drop_last ? examples / batch : (examples + batch - 1) / batch;
  if (steps_per_epoch == 0) {
    user_error(
        "the training data has {} usable examples, less than one batch of {}, and "
        "--dataloader_drop_last drops incomplete batches",
        examples, batch);
  }
  total_steps = recipe.max_steps > 0
                    ? recipe.max_steps
                    : static_cast<std::int64_t>(std::ceil(recipe.num_train_epochs *
                                                          static_cast<double>(steps_per_epoch)));
  if (total_steps > kMostSteps) {
    user_error("{} epochs of {} steps exceed the limit of {} steps per run: choose fewer",
               recipe.num_train_epochs, steps_per_epoch, kMostSteps);
  }
  warmup = warmup_steps(recipe, total_steps);
  logging_steps = interval(TrainRecipe::Strategy::steps, recipe.logging_steps, *this);
  eval_steps =
      interval(recipe.eval_strategy, recipe.eval_steps.value_or(recipe.logging_steps), *this);
  save_steps = interval(recipe.save_strategy, recipe.save_steps, *this);
  if (recipe.load_best_model_at_end && eval_steps > 0 && save_steps % eval_steps != 0) {
    user_error(
        "--load_best_model_at_end: only saved steps that were evaluated can be the best, but "
        "save_steps is {} and eval_steps is {}: make save_steps a multiple of eval_steps, for "
        "example --save_steps {}",
        save_steps, eval_steps, eval_steps);
  }
}

}  // namespace lmpo

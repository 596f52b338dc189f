// The length of a run, and the steps at which it logs, evaluates and saves.
#pragma once

#include <cstdint>

#include "recipe/train_recipe.h"

namespace lmpo {

struct RunLength {
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t warmup = 0;
  std::int64_t logging_steps = 0;
  std::int64_t eval_steps = 0;  // 0: never during training
  std::int64_t save_steps = 0;  // 0: never

  // Counts as transformers does: max_steps, or the steps of all epochs, rounded up; an epoch's last
  // batch may be smaller. UserError for data too small for one batch, for too many steps, and for
  // save_steps that load_best_model_at_end cannot use.
  RunLength(const TrainRecipe& recipe, std::int64_t examples);

  double epoch(std::int64_t step) const {
    return static_cast<double>(step) / static_cast<double>(steps_per_epoch);
  }
  bool is_last(std::int64_t step) const { return step >= total_steps; }
  bool logs_at(std::int64_t step) const { return step % logging_steps == 0; }
  bool evaluates_at(std::int64_t step) const { return eval_steps > 0 && step % eval_steps == 0; }
  // Saves at the end, too, as transformers does.
  bool saves_at(std::int64_t step) const {
    return save_steps > 0 && (step % save_steps == 0 || is_last(step));
  }
};

}  // namespace lmpo

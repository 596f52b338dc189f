// How long a run is and when something is due in it.
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

  // As transformers counts: max_steps, or the epochs (a part of one rounded up) of whole global
  // batches and a smaller last one. UserError for data too small for one batch.
  RunLength(const TrainRecipe& recipe, std::int64_t examples);

  double epoch(std::int64_t step) const {
    return static_cast<double>(step) / static_cast<double>(steps_per_epoch);
  }
  bool is_last(std::int64_t step) const { return step >= total_steps; }
  bool logs_at(std::int64_t step) const { return step % logging_steps == 0; }
  bool evaluates_at(std::int64_t step) const { return eval_steps > 0 && step % eval_steps == 0; }
  // Also at the end, as transformers does.
  bool saves_at(std::int64_t step) const {
    return save_steps > 0 && (step % save_steps == 0 || is_last(step));
  }
};

}  // namespace lmpo

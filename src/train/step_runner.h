// One optimizer step: forward, objective, backward, gradient norm, AdamW, statistics.
#pragma once

#include "base/progress.h"
#include "data/sampler.h"
#include "train/batch_runner.h"
#include "train/run_setup.h"
#include "train/train_state.h"

namespace lmpo {

class StepRunner {
 public:
  // Both must outlive it. The setup's model must be loaded before the first step.
  StepRunner(RunSetup& setup, TrainState& state);

  // Takes sampler and statistics from the state, which was restored. UserError for statistics of
  // another objective.
  void restore();
  // Updates weights and state by one step and reports it to `progress`. UserError for scores or a
  // gradient that are not finite, unless the recipe skips them.
  void step(Progress& progress);
  double seconds() const { return seconds_; }  // spent in steps since forget_times
  void forget_times();

 private:
  const TrainRecipe& recipe() const { return setup_.recipe(); }
  void check_first_loss(double loss) const;
  void update(const BatchResult& result, const Trees& batch, Progress& progress);

  RunSetup& setup_;
  TrainState& state_;
  Sampler sampler_;
  double seconds_ = 0;
};

}  // namespace lmpo

// Saves the checkpoints and the trained model of a run. Never saves weights that are not finite.
#pragma once

#include <cstdint>

#include "train/run_setup.h"
#include "train/train_state.h"

namespace lmpo {

class RunSaver {
 public:
  // Both must outlive it.
  RunSaver(RunSetup& setup, TrainState& state) : setup_(setup), state_(state) {}

  // The step of this run's last checkpoint; -1: none.
  std::int64_t last_saved() const { return last_saved_; }
  // Notes that output_dir has a checkpoint of the current step.
  void is_saved() { last_saved_ = state_.step; }

  // Writes checkpoint-N of the current step, unless it exists, then removes those beyond
  // save_total_limit; one that cannot be removed is a warning. UserError for weights that are not
  // finite, MachineError for a file that cannot be written.
  void save_checkpoint();
  // Writes the trained model into output_dir, with the same errors.
  void write_model();
  // Replaces the weights by those of the best checkpoint. False, with a warning, if it is missing or
  // damaged.
  bool load_best();
  void write_trainer_state(const fs::path& folder) const;

 private:
  const TrainRecipe& recipe() const { return setup_.recipe(); }
  fs::path checkpoint(std::int64_t step) const;
  void require_finite_weights();
  void write_model(const fs::path& folder);
  void rotate_checkpoints() const;
  void remove_overwritten() const;

  RunSetup& setup_;
  TrainState& state_;
  std::int64_t last_saved_ = -1;
  std::int64_t last_checked_ = -1;  // the step whose weights were found finite
};

}  // namespace lmpo

// What a run saves: checkpoints on its way, and the trained model. Weights that are not finite are
// never saved.
#pragma once

#include <cstdint>

#include "train/run_setup.h"
#include "train/train_state.h"

namespace lmpo {

class RunSaver {
 public:
  // Both must outlive it.
  RunSaver(RunSetup& setup, TrainState& state) : setup_(setup), state_(state) {}

  // The step of the last whole checkpoint of this run; -1: none.
  std::int64_t last_saved() const { return last_saved_; }
  // The present step is that of a checkpoint in output_dir.
  void is_saved() { last_saved_ = state_.step; }

  // Writes checkpoint-N of the present step, unless it is there, and removes those beyond
  // save_total_limit; one that cannot be removed is a warning. UserError for weights that are not
  // finite, MachineError for what cannot be written.
  void save_checkpoint();
  // Writes the trained model into output_dir, with the same errors.
  void write_model();
  // Replaces the weights by those of the best checkpoint. False, with a warning, where it is gone.
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
  std::int64_t last_checked_ = -1;  // the step whose weights were looked at
};

}  // namespace lmpo

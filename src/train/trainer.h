// The training run: from trees to a trained model folder.
//
//   for each global batch: batch_runner (forward, objective, backward) -> gradient norm -> AdamW
//   -> objective statistics -> log, evaluate, save
#pragma once

#include <memory>

#include "data/dataset.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct TrainInputs {
  std::string version;  // of the program, for lmpo_run.json
  TrainRecipe recipe;
  ordered_json options;  // OptionSet::record(), for lmpo_run.json
  Dataset train;
  std::optional<Dataset> evaluation;
};

enum class TrainOutcome {
  done,
  planned,     // dry_run: the plan was shown
  interrupted  // by a signal; the run was saved
};

// Throws UserError for what does not fit together or into memory, before anything is written.
TrainOutcome run_training(TrainInputs inputs);

}  // namespace lmpo

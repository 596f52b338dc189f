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
  interrupted  // by a signal; a checkpoint was saved, unless no step was done
};

// Trains and writes the model into the recipe's output_dir. UserError, before anything is written,
// for options that contradict each other, a model that does not fit into memory, and data that does
// not suit the objective. Answers signals as interrupt.h says. One run per process at a time.
TrainOutcome run_training(TrainInputs inputs);

}  // namespace lmpo

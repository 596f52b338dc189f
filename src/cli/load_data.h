// A run's data as tokens: from the cache of an earlier start, or through tokenizer and template.
#pragma once

#include <optional>

#include "data/dataset.h"
#include "model/config.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct LoadedData {
  Dataset train;
  std::optional<Dataset> evaluation;
};

// Also says in the log what became of the rows. Throws UserError where no row can be used, or where
// the tokenizer has ids that the model lacks.
LoadedData load_run_data(const TrainRecipe& recipe, const ModelConfig& config);

}  // namespace lmpo

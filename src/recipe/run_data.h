// The data of a run: what the recipe's options name, split by purpose.
#pragma once

#include <vector>

#include "data/source.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct RunData {
  std::vector<DataSource> training;
  // Empty where there is none, or where it is held out of the training data (test_split_size).
  std::vector<DataSource> evaluation;
};

// Gives sources that name no split the one of dataset_train_split or dataset_test_split; or, as the
// alignment handbook does, one source for every split of dataset_splits, those with "train" in
// their names for training (in the part that is their weight) and the others, whole, for
// evaluation. Where evaluation is asked for (eval_strategy, dataset_test_split) and eval_dataset
// names nothing, it is the test split of the training data's folders. Where `eval_strategy: no` was
// said there is no evaluation data. Throws UserError for dataset_splits without "train".
RunData run_data(const TrainRecipe& recipe);

}  // namespace lmpo

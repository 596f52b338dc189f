// A run's data as tokens, checked and told of in the log.
#pragma once

#include <optional>
#include <string>

#include "data/load_rows.h"
#include "model/config.h"
#include "recipe/train_recipe.h"

namespace lmpo {

// The date that the run's chat template writes, YYYY-MM-DD: the one that is given; else the one
// that the checkpoint's run recorded; else today. `checkpoint` is empty where none is resumed.
// Tokens must not depend on the day of a resumed start. UserError where the given one is not a
// date.
std::string template_date(const std::string& given, const fs::path& checkpoint);

// The recipe's tokenizer and template.
TextOptions text_options(const TrainRecipe& recipe);
// How its rows are read. A dry run keeps no tokens.
LoadRowsOptions load_options(const TrainRecipe& recipe);

struct LoadedData {
  Dataset train;
  std::optional<Dataset> evaluation;
};

// UserError where no row can be used, or where the tokenizer has ids that the model lacks.
LoadedData load_run_data(const TrainRecipe& recipe, const ModelConfig& config, LazyText& text);
// What test_split_size asks for, taken out of the training data.
Dataset hold_out_evaluation(Dataset& train, const TrainRecipe& recipe);

}  // namespace lmpo

// A run's data as tokens: from the cache of an earlier start, or through tokenizer and template.
#pragma once

#include <optional>

#include "cli/common_options.h"
#include "data/dataset.h"
#include "model/config.h"
#include "recipe/train_recipe.h"

namespace lmpo {

// Tokenizer and template of a run, read when they are asked for: a start that finds its tokens
// needs neither. The recipe must outlive it.
class RunText {
 public:
  explicit RunText(const TrainRecipe& recipe) : recipe_(recipe) {}

  const TextModel& get();
  // Null where nobody has asked.
  const TextModel* if_read() const { return text_ ? &*text_ : nullptr; }

 private:
  const TrainRecipe& recipe_;
  std::optional<TextModel> text_;
};

// Rows of some sources, or the tokens that an earlier start kept of them.
Dataset load_rows(const std::vector<DataSource>& sources, DataPurpose purpose, RunText& text,
                  const TrainRecipe& recipe);

struct LoadedData {
  Dataset train;
  std::optional<Dataset> evaluation;
};

// Also says in the log what became of the rows. Throws UserError where no row can be used, or where
// the tokenizer has ids that the model lacks.
LoadedData load_run_data(const TrainRecipe& recipe, const ModelConfig& config, RunText& text);
// What test_split_size asks for, taken out of the training data.
Dataset hold_out_evaluation(Dataset& train, const TrainRecipe& recipe);

}  // namespace lmpo

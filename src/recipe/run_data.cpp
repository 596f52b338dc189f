#include "recipe/run_data.h"

#include <algorithm>

#include "base/cache_folder.h"
#include "base/error.h"

namespace lmpo {
namespace {

// Only folders have splits, and so have datasets that are not downloaded yet, for their error.
bool takes_split(const DataSource& source) {
  return source.split.empty() && source.data_files.empty() &&
         (is_folder(source.path) || is_absent_hub_name(source.path)) &&
         source.path.string().find_first_of("*?[") == std::string::npos;
}

bool any_takes_split(const std::vector<DataSource>& sources) {
  return std::ranges::any_of(sources, takes_split);
}

std::vector<DataSource> with_split(std::vector<DataSource> sources, const std::string& split,
                                   const std::string& config) {
  for (DataSource& source : sources) {
    if (takes_split(source)) {
      source.split = split;
      source.config = source.config.empty() ? config : source.config;
    } else if (source.split.empty() && split.ends_with(']')) {
      source.split = split;  // a slice of a file
    }
  }
  return sources;
}

// A source that takes splits becomes one source per split.
std::vector<DataSource> with_splits(const std::vector<DataSource>& sources,
                                    const std::vector<std::string>& splits,
                                    const std::string& config) {
  std::vector<DataSource> all;
  for (const DataSource& source : sources) {
    if (!takes_split(source)) {
      all.push_back(source);
      continue;
    }
    for (const std::string& split : splits) {
      all.push_back(with_split({source}, split, config)[0]);
    }
  }
  return all;
}

RunData data_of_splits(const TrainRecipe& recipe) {
  std::vector<std::string> train;
  std::vector<std::string> test;
  for (const std::string& split : recipe.dataset_splits) {
    (split.find("train") != std::string::npos ? train : test).push_back(split);
  }
  if (train.empty()) {
    user_error("dataset_splits: a split with 'train' in its name was expected among them");
  }
  RunData data{with_splits(recipe.dataset, train, recipe.dataset_config), {}};
  std::vector<DataSource> folders;
  std::copy_if(recipe.dataset.begin(), recipe.dataset.end(), std::back_inserter(folders),
               takes_split);
  if (!test.empty() && recipe.eval_dataset.empty()) {
    data.evaluation = with_splits(folders, test, recipe.dataset_config);
    for (DataSource& source : data.evaluation) {
      source.weight = 1;
    }
  }
  return data;
}

RunData all_data(const TrainRecipe& recipe) {
  RunData data;
  if (!recipe.dataset_splits.empty()) {
    data = data_of_splits(recipe);
  } else {
    data.training = with_split(recipe.dataset, recipe.dataset_train_split, recipe.dataset_config);
  }
  if (!recipe.eval_dataset.empty()) {
    data.evaluation =
        with_split(recipe.eval_dataset, recipe.dataset_test_split, recipe.dataset_config);
  }
  const bool wanted = recipe.eval_strategy != TrainRecipe::Strategy::no || recipe.eval_on_start ||
                      !recipe.dataset_test_split.empty();
  if (data.evaluation.empty() && wanted && recipe.test_split_size == 0 &&
      any_takes_split(recipe.dataset)) {
    for (const DataSource& source : recipe.dataset) {
      if (takes_split(source)) {
        data.evaluation.push_back(
            with_split({source}, recipe.dataset_test_split, recipe.dataset_config)[0]);
        data.evaluation.back().weight = 1;
      }
    }
  }
  return data;
}

}  // namespace

RunData run_data(const TrainRecipe& recipe) {
  RunData data = all_data(recipe);
  if (!recipe.evaluates) {
    data.evaluation.clear();
  }
  return data;
}

}  // namespace lmpo

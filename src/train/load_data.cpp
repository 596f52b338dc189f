#include "train/load_data.h"

#include "base/error.h"
#include "base/log.h"
#include "model/model_folder.h"
#include "recipe/run_data.h"
#include "text/template_date.h"

namespace lmpo {
namespace {

// The date of the checkpoint's run; "" where it is older than the record.
std::string recorded_date(const fs::path& checkpoint) {
  const fs::path file = checkpoint / "lmpo_state.json";
  if (!fs::exists(file)) {
    return "";
  }
  const json state = read_json(file);
  const json::json_pointer place("/options/template_date");
  if (!state.contains(place)) {
    return "";
  }
  const json& recorded = state.at(place);
  return recorded.is_string() ? recorded.get<std::string>() : "";
}

Dataset load_checked(const std::vector<DataSource>& sources, DataPurpose purpose,
                     const TrainRecipe& recipe, const ModelConfig& config, LazyText& text) {
  Dataset dataset = load_rows(find_sources(sources, purpose), purpose, text, load_options(recipe));
  check_tokenizer_fits(config, dataset.id_limit, recipe.model_name_or_path);
  log_dataset(dataset, recipe.data, name_of(purpose));
  if (dataset.trees.empty()) {
    user_error("{}: no row can be used: {}", name_of(purpose), dataset.drops.summary());
  }
  return dataset;
}

}  // namespace

std::string template_date(const std::string& given, const fs::path& checkpoint) {
  if (!given.empty()) {
    time_of_date(given);  // refused also where no template asks for it
    return given;
  }
  const std::string recorded = checkpoint.empty() ? "" : recorded_date(checkpoint);
  return recorded.empty() ? today() : recorded;
}

TextOptions text_options(const TrainRecipe& recipe) {
  TextOptions options{.folder = recipe.model_name_or_path, .date = recipe.template_date};
  if (!recipe.chat_template_path.empty()) {
    options.template_text = recipe.chat_template();
    options.template_source = recipe.chat_template_source();
  }
  return options;
}

LoadRowsOptions load_options(const TrainRecipe& recipe) {
  return {.data = recipe.data,
          .token_cache = recipe.dry_run ? "none" : recipe.token_cache,
          .bar = !recipe.disable_tqdm};
}

LoadedData load_run_data(const TrainRecipe& recipe, const ModelConfig& config, LazyText& text) {
  const RunData data = run_data(recipe);
  LoadedData loaded;
  loaded.train = load_checked(data.training, DataPurpose::training, recipe, config, text);
  if (!data.evaluation.empty()) {
    loaded.evaluation =
        load_checked(data.evaluation, DataPurpose::evaluation, recipe, config, text);
  } else if (recipe.test_split_size > 0) {
    loaded.evaluation = hold_out_evaluation(loaded.train, recipe);
    log_info("evaluation data: {} rows held out of the training data; {} left for training",
             loaded.evaluation->trees.size(), loaded.train.trees.size());
  }
  return loaded;
}

Dataset hold_out_evaluation(Dataset& train, const TrainRecipe& recipe) {
  const auto seed = static_cast<std::uint64_t>(
      recipe.test_split_seed.value_or(recipe.data_seed.value_or(recipe.seed)));
  return hold_out(train, recipe.test_split_size, seed);
}

}  // namespace lmpo

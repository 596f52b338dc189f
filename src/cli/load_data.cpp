#include "cli/load_data.h"

#include <algorithm>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/path_kind.h"
#include "cli/common_options.h"
#include "cli/template_date.h"
#include "data/files.h"
#include "data/token_cache.h"
#include "recipe/run_data.h"
#include "train/progress.h"

namespace lmpo {
namespace {

// Below this, tokenizing takes no longer than finding out that it need not be done.
constexpr std::uintmax_t kSmallData = 4 << 20;  // bytes

const char* name_of(DataPurpose purpose) {
  return purpose == DataPurpose::training ? "train data" : "evaluation data";
}

template <typename T>
void add_optional(Hash& hash, const std::optional<T>& value) {
  hash.add(static_cast<std::uint64_t>(value.has_value()));
  hash.add(value ? static_cast<std::uint64_t>(*value) : 0);
}

void add_options(Hash& hash, const DataOptions& options) {
  hash.add(static_cast<std::uint64_t>(options.kind));
  hash.add(static_cast<std::uint64_t>(options.sft_target));
  hash.add(static_cast<std::uint64_t>(options.boundary));
  hash.add(static_cast<std::uint64_t>(options.insert_empty_system));
  hash.add(static_cast<std::uint64_t>(options.split_special_tokens));
  add_optional(hash, options.max_length);
  add_optional(hash, options.max_prompt_length);
  add_optional(hash, options.truncation_mode);
}

// Everything the tokens depend on; the program itself is part of it.
std::string token_key(const TrainRecipe& recipe, const std::vector<DataSource>& sources,
                      DataPurpose purpose) {
  Hash hash;
  hash.add_file("/proc/self/exe");
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "tekken.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"}) {
    if (const fs::path file = recipe.model_name_or_path / name; fs::is_regular_file(file)) {
      hash.add_file(file);
    }
  }
  if (!recipe.chat_template_path.empty()) {
    hash.add(recipe.chat_template());
  }
  if (template_writes_date(recipe)) {
    hash.add(template_date(recipe));
  }
  add_options(hash, recipe.data);
  for (const DataSource& source : sources) {
    hash.add(fmt::format("{} {} {} {}", source.weight, source.split, source.most_rows,
                         source.only_columns));
    for (const auto& [column, key] : source.columns) {
      hash.add(column);
      hash.add(key);
    }
    for (const fs::path& file : find_data_files(source, purpose)) {
      hash.add_file(file);
    }
  }
  return hash.text();
}

std::uintmax_t size_of(const std::vector<DataSource>& sources, DataPurpose purpose) {
  std::uintmax_t total = 0;
  for (const DataSource& source : sources) {
    for (const fs::path& file : find_data_files(source, purpose)) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(file, error);
      total += error ? 0 : size;
    }
  }
  return total;
}

// Where tokens are kept; "" for nowhere.
fs::path cache_folder(const TrainRecipe& recipe, const std::vector<DataSource>& sources,
                      DataPurpose purpose) {
  if (recipe.token_cache == "none" || recipe.dry_run) {
    return {};
  }
  if (recipe.token_cache != "auto") {
    return recipe.token_cache;
  }
  return size_of(sources, purpose) < kSmallData ? fs::path() : default_cache_folder();
}

void check(const Dataset& dataset, const TrainRecipe& recipe, const ModelConfig& config,
           std::string_view what) {
  check_tokenizer_fits(config, dataset.id_limit, recipe.model_name_or_path);
  log_dataset(dataset, recipe.data, what);
  if (dataset.trees.empty()) {
    user_error("{}: no row can be used: {}", what, dataset.drops.summary());
  }
}

}  // namespace

const TextModel& RunText::get() {
  if (!text_) {
    text_ = TextModel::load(recipe_.model_name_or_path);
    if (!recipe_.chat_template_path.empty()) {
      text_->chat = ChatTemplate::parse(recipe_.chat_template(), recipe_.chat_template_source());
    }
    if (text_->chat && text_->chat->writes_date()) {
      const std::string date = template_date(recipe_);
      text_->chat->set_date(time_of_date(date));
      log_info("the chat template writes the date: {} for the whole run (template_date)", date);
    }
  }
  return *text_;
}

Dataset load_rows(const std::vector<DataSource>& sources, DataPurpose purpose, RunText& text,
                  const TrainRecipe& recipe) {
  const TokenCache cache(cache_folder(recipe, sources, purpose));
  const std::string key = cache.keeps() ? token_key(recipe, sources, purpose) : "";
  if (cache.keeps() && is_file(cache.path(key))) {
    log_info("tokens of an earlier start: {}", cache.path(key).string());
  }
  return cache.get(key, [&](const TreeSink& sink) {
    const TextModel& model = text.get();
    Progress progress({.what = fmt::format("reading {}", name_of(purpose)),
                       .unit = "rows",
                       .bar = !recipe.disable_tqdm,
                       .delay = kBarDelay});
    return load_dataset(sources, model.tokenizer, model.chat_template(), recipe.data, purpose,
                        [&](Tree&& tree) {
                          sink(std::move(tree));
                          progress.step(1, 0);
                        });
  });
}

Dataset hold_out_evaluation(Dataset& train, const TrainRecipe& recipe) {
  const auto seed = static_cast<std::uint64_t>(
      recipe.test_split_seed.value_or(recipe.data_seed.value_or(recipe.seed)));
  return hold_out(train, recipe.test_split_size, seed);
}

LoadedData load_run_data(const TrainRecipe& recipe, const ModelConfig& config, RunText& text) {
  const RunData data = run_data(recipe);
  LoadedData loaded;
  loaded.train = load_rows(data.training, DataPurpose::training, text, recipe);
  check(loaded.train, recipe, config, name_of(DataPurpose::training));
  if (!data.evaluation.empty()) {
    loaded.evaluation = load_rows(data.evaluation, DataPurpose::evaluation, text, recipe);
    check(*loaded.evaluation, recipe, config, name_of(DataPurpose::evaluation));
  } else if (recipe.test_split_size > 0) {
    loaded.evaluation = hold_out_evaluation(loaded.train, recipe);
    log_info("evaluation data: {} rows held out of the training data, {} are left",
             loaded.evaluation->trees.size(), loaded.train.trees.size());
  }
  return loaded;
}

}  // namespace lmpo

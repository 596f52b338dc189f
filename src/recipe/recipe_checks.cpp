#include "recipe/recipe_checks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/cache_folder.h"
#include "base/names.h"
#include "objective/metric_names.h"
#include "objective/registry.h"
#include "recipe/dataset_info.h"
#include "recipe/foreign.h"
#include "recipe/run_data.h"

namespace lmpo {
namespace {

constexpr std::int64_t kLargestBatch = 1 << 24;  // examples; more is a mistake

// An option that the chosen objective does not use is probably a mistake.
void warn_of_unused(OptionSet& options, const ObjectiveInfo& chosen) {
  std::set<std::string_view> seen;  // several objectives share an option
  for (const ObjectiveInfo& info : objectives()) {
    for (const std::string_view name : info.options) {
      if (seen.insert(name).second && options.given(name) && !chosen.uses(name)) {
        const std::string place = options.place(name);
        options.notice({LogLevel::warning, "option_ignored", place,
                        fmt::format("{} has no effect on the objective {}", place, chosen.name)});
      }
    }
  }
}

RowKind row_kind(ExampleForm form) {
  switch (form) {
    case ExampleForm::single:
      return RowKind::sft;
    case ExampleForm::labelled:
      return RowKind::labelled;
    case ExampleForm::ranked:
      return RowKind::ranked;
    case ExampleForm::pair:
      break;
  }
  return RowKind::preference;
}

void check_output(const OptionSet& options, const TrainRecipe& r) {
  if (r.output_dir.empty() && !r.dry_run) {
    options.reject("output_dir", "a folder for the results is needed: --output_dir DIR");
  }
}

// Where mistakes are collected, reading continues: a refused value is reset first.
void check_shards(const OptionSet& options, TrainRecipe& r) {
  if (r.max_shard_size.count == 0) {
    r.max_shard_size = TrainRecipe().max_shard_size;
    options.reject("max_shard_size", "a size above 0 was expected, for example 5GB");
  }
}

void check_batch(const OptionSet& options, TrainRecipe& r) {
  if (r.gradient_accumulation_steps > kLargestBatch / r.per_device_train_batch_size) {
    const std::int64_t micro_batch = r.per_device_train_batch_size;
    r.gradient_accumulation_steps = 1;
    r.per_device_train_batch_size = 1;
    options.reject(
        "gradient_accumulation_steps",
        fmt::format("multiplied by per_device_train_batch_size, which is {}, it must be at most {}",
                    micro_batch, kLargestBatch));
  }
}

void check_lengths(const OptionSet& options, TrainRecipe& r) {
  if (r.data.max_prompt_length && r.data.max_length &&
      *r.data.max_prompt_length >= *r.data.max_length) {
    r.data.max_prompt_length.reset();
    options.reject(
        "max_prompt_length",
        fmt::format("it must be smaller than max_length, which is {}", *r.data.max_length));
  }
}

void check_evaluation(const OptionSet& options, const TrainRecipe& r) {
  const RunData data = run_data(r);
  if (r.eval_strategy != TrainRecipe::Strategy::no && data.evaluation.empty() &&
      r.test_split_size == 0) {
    options.reject(
        "eval_strategy",
        "evaluation needs data: give eval_dataset, or hold rows out with test_split_size");
  }
  if (r.test_split_size > 0 && !data.evaluation.empty()) {
    options.reject("test_split_size", "there is evaluation data already: remove one of them");
  }
}

void check_metric(const OptionSet& options, const TrainRecipe& r) {
  if (r.metric_for_best_model.empty()) {
    return;
  }
  std::vector<std::string> known = {"eval_loss"};
  for (const std::string& name :
       metric_names(*find_objective(r.objective).make(r.objective_options))) {
    known.push_back("eval_" + name);
  }
  if (std::ranges::find(known, r.best_metric()) == known.end()) {
    options.reject(
        "metric_for_best_model",
        fmt::format("evaluations of {} have no '{}'{}. They have {}", r.objective, r.best_metric(),
                    suggestion(r.best_metric(), known), fmt::join(known, ", ")));
  }
}

// The best evaluation needs a checkpoint of the same step; see also RunLength.
void check_best_model(const OptionSet& options, const TrainRecipe& r) {
  const auto refuse_without_evaluation = [&](const char* name, bool wanted) {
    if (wanted && r.eval_strategy == TrainRecipe::Strategy::no) {
      options.reject(name,
                     "there is no evaluation to compare during training: add --eval_strategy steps "
                     "or epoch");
    }
  };
  refuse_without_evaluation("load_best_model_at_end", r.load_best_model_at_end);
  refuse_without_evaluation("early_stopping_patience", r.early_stopping_patience > 0);
  if (r.load_best_model_at_end && r.save_strategy != r.eval_strategy) {
    options.reject("load_best_model_at_end",
                   fmt::format("every evaluated step must be saved, but eval_strategy is {} and "
                               "save_strategy is {}: give both the same value",
                               choice_name(r.eval_strategy), choice_name(r.save_strategy)));
  }
  check_metric(options, r);
  if (r.eval_on_start && run_data(r).evaluation.empty() && r.test_split_size == 0) {
    options.reject(
        "eval_on_start",
        "evaluation needs data: give eval_dataset, or hold rows out with test_split_size");
  }
}

// There are only event files: they are also written where another service was asked for.
void settle_report_to(OptionSet& options, TrainRecipe& r) {
  static const std::set<std::string> services = {"azure_ml", "clearml", "codecarbon", "comet_ml",
                                                 "dagshub",  "dvclive", "flyte",      "mlflow",
                                                 "neptune",  "swanlab", "trackio",    "wandb"};
  for (std::string& name : r.report_to) {
    if (services.contains(name)) {
      const std::string place = options.place("report_to");
      options.notice({LogLevel::info, "option_not_used", place,
                      fmt::format("{}: nothing is sent to {}; event files for TensorBoard are "
                                  "written instead",
                                  place, name)});
    } else if (name == "none" && r.report_to.size() > 1) {
      options.reject("report_to", "none cannot be combined with others");
    } else if (name != "tensorboard" && name != "all" && name != "none") {
      options.reject("report_to", fmt::format("'{}': tensorboard or none was expected", name));
    }
  }
}

// A model in the Hub's cache may be given by its name, as datasets are.
void resolve_model(fs::path& model) {
  if (is_absent_hub_name(model)) {
    if (fs::path snapshot = find_in_hub_cache("models", model); !snapshot.empty()) {
      model = std::move(snapshot);
    }
  }
}

// axolotl's names of built-in templates; lmpo uses the model's own.
bool is_template_name(const fs::path& path) {
  static const std::set<std::string> names = {"alpaca",
                                              "chatml",
                                              "cohere",
                                              "command_a",
                                              "deepseek_v2",
                                              "deepseek_v3",
                                              "exaone",
                                              "gemma",
                                              "gemma3",
                                              "jinja",
                                              "llama3",
                                              "llama4",
                                              "metharme",
                                              "phi_3",
                                              "phi_35",
                                              "qwen3",
                                              "qwen_25",
                                              "vicuna",
                                              "zephyr",
                                              "tokenizer_default",
                                              "mistral_v1",
                                              "mistral_v2v3",
                                              "mistral_v3_tekken",
                                              "mistral_v7_tekken"};
  return names.contains(path.string()) && !fs::exists(path);
}

void settle_template(OptionSet& options, TrainRecipe& r) {
  if (is_template_name(r.chat_template_path)) {
    const std::string place = options.place("chat_template_path");
    options.notice({LogLevel::info, "option_not_used", place,
                    fmt::format("{}: '{}' names no file: the model's own chat template is used",
                                place, r.chat_template_path.string())});
    r.chat_template_path.clear();
  }
}

// Resolves the names that other programs give datasets, and applies max_samples.
void settle_sources(const OptionSet& options, TrainRecipe& r) {
  const bool llama_factory = std::ranges::any_of(options.foreign_keys(), [](const ForeignKey& key) {
    return program_of_key(key.name) == "LLaMA-Factory";
  });
  const fs::path folder = r.dataset_dir.empty() && llama_factory ? "data" : r.dataset_dir;
  for (std::vector<DataSource>* sources : {&r.dataset, &r.eval_dataset}) {
    for (DataSource& source : *sources) {
      if (!folder.empty()) {
        source = look_up_dataset(source, folder);
      }
      if (r.max_samples > 0 && (source.most_rows == 0 || source.most_rows > r.max_samples)) {
        source.most_rows = r.max_samples;
      }
    }
  }
}

// The published code adds no NLL; TRL's default does.
void warn_of_nll(OptionSet& options, const TrainRecipe& r) {
  const RawValue* name = options.written("objective");
  if (r.objective == "simpo" && name != nullptr && !options.given("sft_weight") &&
      (name->name == "loss_type" || name->name == "rl")) {
    options.notice({LogLevel::warning, "nll_not_added", name->place,
                    fmt::format("{}: TRL's SimPO adds the chosen responses' NLL, with cpo_alpha 1 "
                                "unless the recipe says otherwise; here sft_weight is 0, as in the "
                                "paper. Set cpo_alpha to choose",
                                name->place)});
  }
}

void tell_program(OptionSet& options) {
  for (const ForeignKey& key : options.foreign_keys()) {
    const std::string_view program = program_of_key(key.name);
    if (!program.empty() && key.source == Source::file) {
      options.notice(
          {LogLevel::info, "recipe_of_another_program", key.place,
           fmt::format("this is a recipe for {}: options that it does not set have lmpo's "
                       "defaults, not {}'s (--dry_run shows them)",
                       program, program)});
      return;
    }
  }
}

void resolve_names(TrainRecipe& r) {
  if (const auto resume = parse_bool(r.resume_from_checkpoint)) {
    r.resume_from_checkpoint = *resume ? "true" : "";
  }
  resolve_model(r.model_name_or_path);
  resolve_model(r.reference_model);
}

// Making the objective finds options that contradict each other.
void check_objective(OptionSet& options, TrainRecipe& r) {
  const ObjectiveInfo& objective = find_objective(r.objective);
  warn_of_unused(options, objective);
  r.data.kind = row_kind(objective.make(r.objective_options)->form());
}

}  // namespace

void add_recipe_checks(OptionSet& options, TrainRecipe& recipe) {
  options.check([&recipe] { resolve_names(recipe); });
  options.check([&options, &recipe] { settle_template(options, recipe); });
  options.check([&options, &recipe] { settle_sources(options, recipe); });
  options.check([&options, &recipe] { warn_of_nll(options, recipe); });
  options.check([&options] { tell_program(options); });
  options.check([&options, &recipe] { settle_report_to(options, recipe); });
  options.check([&options, &recipe] { check_output(options, recipe); });
  options.check([&options, &recipe] { check_shards(options, recipe); });
  options.check([&options, &recipe] { check_batch(options, recipe); });
  options.check([&options, &recipe] { check_lengths(options, recipe); });
  options.check([&options, &recipe] { check_evaluation(options, recipe); });
  options.check([&options, &recipe] { check_best_model(options, recipe); });
  options.check([&options, &recipe] { check_objective(options, recipe); });
}

}  // namespace lmpo

#include "recipe/recipe_checks.h"

#include <fmt/format.h>

#include <set>

#include "base/cache_folder.h"
#include "objective/registry.h"
#include "recipe/run_data.h"

namespace lmpo {
namespace {

constexpr std::int64_t kLargestBatch = 1 << 24;  // examples; more is a mistake

// Options of an objective that the chosen one does not use are a likely mistake.
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

// What is refused is not used further where mistakes are collected.
void check_shards(const OptionSet& options, TrainRecipe& r) {
  if (r.max_shard_size.count == 0) {
    r.max_shard_size = TrainRecipe().max_shard_size;
    options.reject("max_shard_size", "a size above 0 was expected, for example 5GB");
  }
}

void check_batch(const OptionSet& options, TrainRecipe& r) {
  if (r.gradient_accumulation_steps > kLargestBatch / r.per_device_train_batch_size) {
    const std::int64_t at_once = r.per_device_train_batch_size;
    r.gradient_accumulation_steps = 1;
    r.per_device_train_batch_size = 1;
    options.reject(
        "gradient_accumulation_steps",
        fmt::format("times per_device_train_batch_size, which is {}, it must be at most {}",
                    at_once, kLargestBatch));
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
    options.reject("eval_strategy",
                   "evaluation needs data: name it by eval_dataset, or hold some out by "
                   "test_split_size");
  }
  if (r.test_split_size > 0 && !data.evaluation.empty()) {
    options.reject("test_split_size", "there is evaluation data already: leave one of them out");
  }
}

// Event files are what there is: they are written where a service was asked for as well.
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
      options.reject("report_to", "none goes with nothing else");
    } else if (name != "tensorboard" && name != "all" && name != "none") {
      options.reject("report_to", fmt::format("'{}': tensorboard or none was expected", name));
    }
  }
}

// A model of the Hub that was fetched into its cache goes by its name, as datasets do.
void resolve_model(fs::path& model) {
  if (is_absent_hub_name(model)) {
    if (fs::path snapshot = find_in_hub_cache("models", model); !snapshot.empty()) {
      model = std::move(snapshot);
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

// Options that contradict each other are found by making it.
void check_objective(OptionSet& options, TrainRecipe& r) {
  const ObjectiveInfo& objective = find_objective(r.objective);
  warn_of_unused(options, objective);
  r.data.kind = row_kind(objective.make(r.objective_options)->form());
}

}  // namespace

void add_recipe_checks(OptionSet& options, TrainRecipe& recipe) {
  options.check([&recipe] { resolve_names(recipe); });
  options.check([&options, &recipe] { settle_report_to(options, recipe); });
  options.check([&options, &recipe] { check_output(options, recipe); });
  options.check([&options, &recipe] { check_shards(options, recipe); });
  options.check([&options, &recipe] { check_batch(options, recipe); });
  options.check([&options, &recipe] { check_lengths(options, recipe); });
  options.check([&options, &recipe] { check_evaluation(options, recipe); });
  options.check([&options, &recipe] { check_objective(options, recipe); });
}

}  // namespace lmpo

// Everything a training run can be told.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "data/options.h"
#include "objective/options.h"
#include "recipe/option_set.h"
#include "recipe/source_option.h"

namespace lmpo {

// Names of the choices that other modules define.
constexpr std::array<std::string_view, 3> choice_names(Boundary) {
  return {name(Boundary::trl), name(Boundary::simpo), name(Boundary::simpo_published)};
}
constexpr std::array<std::string_view, 2> choice_names(TruncationMode) {
  return {"keep_start", "keep_end"};
}
constexpr std::array<std::string_view, 4> choice_names(SftTarget) {
  return {"response", "conversation", "assistant", "marked"};
}
constexpr std::array<std::string_view, 4> choice_names(LogLevel) {
  return {"debug", "info", "warning", "error"};
}

// Most steps of a run, and most examples evaluated at once: beyond any run, and far from overflow.
constexpr std::int64_t kMostSteps = 1'000'000'000;
constexpr std::int64_t kMostExamples = 1 << 20;

// Numbers of steps are real: below 1 they are a part of the run's steps, see absolute_steps.
struct TrainRecipe {
  enum class Scheduler { cosine, linear, constant, constant_with_warmup };
  enum class Strategy { no, steps, epoch };
  enum class Sampling { random, sequential };

  // Model
  fs::path model_name_or_path;
  std::string dtype = "float32";  // float32, bfloat16, float16, or auto: as in the checkpoint
  fs::path chat_template_path;    // or the template's own text; empty: the model's
  std::string template_date;      // YYYY-MM-DD; empty: the day of the run's start

  // Files
  std::vector<DataSource> dataset;
  std::vector<DataSource> eval_dataset;
  // Of dataset folders, where a source says nothing itself; see run_data.h.
  std::string dataset_config;
  std::string dataset_train_split;
  std::string dataset_test_split;
  std::vector<std::string> dataset_splits;
  // A folder whose dataset_info.json says what the names in `dataset` are; "": none is asked.
  fs::path dataset_dir;
  std::int64_t max_samples = 0;  // rows of each source; 0: all
  double test_split_size = 0;    // rows held out for evaluation; below 1, that part of them
  std::optional<std::int64_t> test_split_seed;  // draws them; unset: data_seed
  std::string token_cache = "auto";             // a folder, "auto" or "none"
  fs::path output_dir;
  bool overwrite_output_dir = false;
  std::string resume_from_checkpoint;  // a folder, "true" for the newest, or "" for none

  // Text to tokens. `kind` follows from the objective.
  DataOptions data = [] {
    DataOptions options;
    options.max_length = 1024;
    return options;
  }();

  // Objective
  std::string objective = "lmpo";
  ObjectiveOptions objective_options;
  fs::path reference_model;  // empty: model_name_or_path
  fs::path reference_cache;  // empty: the default place

  // Optimizer
  std::vector<std::string> freeze;    // patterns of what does not train, see model/freeze.h
  std::string optim = "adamw_torch";  // or with moments in 8 bits, or in a file, or both
  double learning_rate = 1e-6;
  Scheduler lr_scheduler_type = Scheduler::linear;
  double warmup_steps = 0;
  double warmup_ratio = 0;  // used where warmup_steps is 0
  double weight_decay = 0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;  // 0: no clipping
  bool pad_token_gradient = true;
  bool skip_nonfinite = false;

  // Length and batches
  double num_train_epochs = 3;
  std::int64_t max_steps = -1;  // above 0: instead of epochs
  std::int64_t per_device_train_batch_size = 8;
  std::int64_t gradient_accumulation_steps = 1;
  std::int64_t per_device_eval_batch_size = 8;
  Sampling train_sampling_strategy = Sampling::random;
  bool dataloader_drop_last = false;
  std::int64_t max_pack_tokens = 0;  // 0: no limit but the batch size
  std::string recompute = "auto";    // or a name of Recompute
  std::string compute = "auto";      // type of the factors of matrix products

  // Logging, evaluation and checkpoints
  double logging_steps = 10;
  Strategy eval_strategy = Strategy::no;
  bool evaluates = true;  // false: `eval_strategy: no` was said, and evaluation data is not read
  std::optional<double> eval_steps;  // unset: logging_steps
  bool eval_on_start = false;
  Strategy save_strategy = Strategy::steps;
  double save_steps = 500;
  std::optional<double> evals_per_epoch;  // instead of eval_steps, and
  std::optional<double> saves_per_epoch;  // of save_steps, as axolotl says it
  std::optional<std::int64_t> save_total_limit;
  bool load_best_model_at_end = false;
  std::string metric_for_best_model;         // empty: loss
  std::optional<bool> greater_is_better;     // unset: unless the metric is a loss
  std::int64_t early_stopping_patience = 0;  // evaluations; 0: never
  double early_stopping_threshold = 0;
  Bytes max_shard_size = {5'000'000'000};
  std::int64_t eval_samples = 2;  // answers an evaluation generates
  std::int64_t eval_sample_tokens = 64;
  std::vector<std::string> report_to = {"tensorboard"};
  fs::path logging_dir;  // empty: a folder of its own in output_dir/runs
  bool disable_tqdm = false;
  LogLevel log_level = LogLevel::info;

  // Machine
  std::string device = "auto";  // see open_device
  std::int64_t seed = 42;
  std::optional<std::int64_t> data_seed;  // unset: seed
  std::int64_t threads = 0;               // 0: all processors
  Bytes max_memory;                       // 0: what the machine has free
  bool dry_run = false;
  bool time_estimate = true;  // of a dry run

  bool eight_bit_moments() const { return optim.ends_with("8bit"); }
  bool paged_moments() const { return optim.starts_with("paged"); }
  bool writes_events() const { return !report_to.empty() && report_to.front() != "none"; }
  // Of chat_template_path: the file's content, or the text itself where it holds a template; and
  // its name for errors.
  std::string chat_template() const;
  std::string chat_template_source() const;
  bool is_sft() const { return objective == "sft"; }
  // Whether evaluations are compared, and by which of their numbers: "eval_loss".
  bool compares_evaluations() const {
    return load_best_model_at_end || !metric_for_best_model.empty() || early_stopping_patience > 0;
  }
  std::string best_metric() const;
  std::int64_t train_batch_size() const {
    return per_device_train_batch_size * gradient_accumulation_steps;
  }
};

constexpr std::array<std::string_view, 4> choice_names(TrainRecipe::Scheduler) {
  return {"cosine", "linear", "constant", "constant_with_warmup"};
}
constexpr std::array<std::string_view, 3> choice_names(TrainRecipe::Strategy) {
  return {"no", "steps", "epoch"};
}
constexpr std::array<std::string_view, 2> choice_names(TrainRecipe::Sampling) {
  return {"random", "sequential"};
}

// What --eval_steps 0.1 means in a run of `total` steps: ceil(0.1 * total), as in transformers; a
// number of 1 or more is itself, rounded down.
std::int64_t absolute_steps(double steps_or_ratio, std::int64_t total);

// The options of a training run with their checks. The objective is recipe.objective, what is given,
// or what the given recipe tells (objective_choice.h); its defaults replace the recipe's where
// nothing was given.
void add_train_options(OptionSet& options, TrainRecipe& recipe);

// The names of those with which a resumed run ends in the same model only if they have the same
// values.
std::vector<std::string> options_that_change_result();

// Parts of it, for other commands.
void add_template_kwargs(OptionSet& options, ordered_json& kwargs);
void add_data_options(OptionSet& options, DataOptions& data);
void add_objective_options(OptionSet& options, ObjectiveOptions& objective);

// The table of objectives for the documentation: name, loss, options.
std::string objectives_markdown();
// What each objective's defaults are where they are not those of every objective.
std::string objective_defaults_markdown();

}  // namespace lmpo

#include "recipe/train_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "objective/registry.h"
#include "recipe/recipe_checks.h"

namespace lmpo {
namespace {

constexpr Range kAtLeastOne = at_least(1);
constexpr Range kNonNegative = at_least(0);

// Recipes of the alignment handbook write the template itself.
bool holds_template(const fs::path& path) {
  const std::string text = path.string();
  return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
}

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const ObjectiveInfo& info : objectives()) {
    names.emplace_back(info.name);
  }
  return names;
}

// " (simpo, lmpo)": the objectives that use an option.
std::string users(std::string_view option) {
  std::vector<std::string> names;
  for (const ObjectiveInfo& info : objectives()) {
    if (info.uses(option)) {
      names.emplace_back(info.name);
    }
  }
  return " (" + join(names, ", ") + ")";
}

void add_model_options(OptionSet& options, TrainRecipe& r) {
  options.group("Model and files");
  options.add("model_name_or_path", r.model_name_or_path,
              "folder of the Hugging Face checkpoint to start from",
              {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  options.add("dataset", r.dataset,
              "training data: files of JSON, JSONL (also packed by gzip or zstd) or Parquet, "
              "patterns (*) of them, dataset folders; with more to say of one, "
              "'{path: DIR, split: train_prefs, weight: 0.5, columns: {theirs: ours}}'",
              {.value_name = "DATA",
               .synonyms = {"data", "datasets"},
               .old_names = {"dataset_name", "train_file", "dataset_mixer"},
               .required = true,
               .structured = true});
  options.add("eval_dataset", r.eval_dataset, "evaluation data, in the same way",
              {.value_name = "DATA", .old_names = {"validation_file"}, .structured = true});
  options.add("dataset_config", r.dataset_config, "configuration of dataset folders",
              {.default_text = "the default one"});
  options.add("dataset_train_split", r.dataset_train_split, "split of dataset folders to train on",
              {.old_names = {"dataset_split"}, .default_text = "train, or what begins so"});
  options.add("dataset_test_split", r.dataset_test_split,
              "split of dataset folders to evaluate on, where eval_dataset names nothing else",
              {.default_text = "test or validation, if evaluation is asked for"});
  options.add("dataset_splits", r.dataset_splits,
              "splits as the alignment handbook names them: those with 'train' in their names "
              "are trained on, the others evaluated on",
              {.value_name = "NAME"});
  options.add("test_split_size", r.test_split_size,
              "rows of the training data to hold out for evaluation; below 1, that part of them",
              {.range = kNonNegative, .synonyms = {"val_size", "val_set_size", "test_size"}});
  options.add("token_cache", r.token_cache,
              "folder in which tokens are kept for the next start; auto: ~/.cache/lmpo, for data "
              "that is not small; none: nowhere",
              {.value_name = "DIR"});
  options.add("output_dir", r.output_dir, "folder for the trained model, checkpoints and logs",
              {.value_name = "DIR"});
  options.add("overwrite_output_dir", r.overwrite_output_dir,
              "train into a folder that is not empty");
  options.add("resume_from_checkpoint", r.resume_from_checkpoint,
              "go on from a checkpoint folder; alone or true: from the newest in output_dir",
              {.value_name = "[DIR]", .synonyms = {"resume"}, .implied = "true"});
  options.add("dtype", r.dtype,
              "type in which weights are kept; with 16 bits an exact float32 master is kept too; "
              "auto: as in the checkpoint",
              {.choices = {"float32", "bfloat16", "float16", "auto"},
               .old_names = {"torch_dtype"},
               .flags = {{"bf16", "bfloat16"}, {"fp16", "float16"}}});
  options.add("chat_template_path", r.chat_template_path,
              "file with a chat template to use instead of the model's own, or its text",
              {.value_name = "FILE", .synonyms = {"chat_template"}});
  options.add("template_date", r.template_date,
              "the date that a chat template writes, YYYY-MM-DD; by default the day of the run's "
              "start, which a resumed run keeps",
              {.value_name = "DATE"});
}

void add_optimizer_options(OptionSet& options, TrainRecipe& r) {
  options.group("Optimizer");
  options.add(
      "optim", r.optim,
      "AdamW; 8bit: its moments of matrices in 8 bits, a quarter of the memory for nearly the "
      "same training; paged: its moments in a file of the output folder, a piece of them in "
      "memory at a time, for the same result",
      {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"},
       .spellings = {{"adamw", "adamw_torch"},
                     {"adamw_hf", "adamw_torch"},
                     {"adamw_torch_fused", "adamw_torch"},
                     {"adamw_apex_fused", "adamw_torch"},
                     {"adamw_bnb_8bit", "adamw_8bit"},
                     {"paged_adamw", "paged_adamw_32bit"}}});
  options.add("learning_rate", r.learning_rate, "peak learning rate of AdamW (2e-5 with sft)",
              {.range = kNonNegative});
  options.add("lr_scheduler_type", r.lr_scheduler_type,
              "how the learning rate falls after the warm-up");
  options.add("warmup_steps", r.warmup_steps,
              "steps of linear warm-up; below 1, a part of all steps", {.range = kNonNegative});
  options.add("warmup_ratio", r.warmup_ratio,
              "warm-up as a part of all steps, where warmup_steps is 0", {.range = within(0, 1)});
  options.add("weight_decay", r.weight_decay, "decoupled weight decay", {.range = kNonNegative});
  options.add("adam_beta1", r.adam_beta1, "decay of the first moment",
              {.range = {.low = 0, .high = 1, .high_open = true}});
  options.add("adam_beta2", r.adam_beta2, "decay of the second moment",
              {.range = {.low = 0, .high = 1, .high_open = true}});
  options.add("adam_epsilon", r.adam_epsilon, "added to the root of the second moment",
              {.range = kPositive});
  options.add("max_grad_norm", r.max_grad_norm,
              "gradients with a larger norm are scaled down to it; 0: never",
              {.range = kNonNegative});
  options.add("skip_nonfinite", r.skip_nonfinite,
              "leave out pairs whose loss is not finite instead of stopping");
}

void add_batch_options(OptionSet& options, TrainRecipe& r) {
  options.group("Length and batches");
  options.add("num_train_epochs", r.num_train_epochs, "passes over the training data",
              {.range = {.low = 0, .high = 1e6, .low_open = true}});
  options.add("max_steps", r.max_steps, "stop after so many steps; above 0, instead of epochs",
              {.range = at_least(-1)});
  options.add(
      "per_device_train_batch_size", r.per_device_train_batch_size,
      "examples computed at once (results do not depend on it, the product with "
      "gradient_accumulation_steps is the batch)",
      {.range = kAtLeastOne, .old_names = {"micro_batch_size", "per_gpu_train_batch_size"}});
  options.add("gradient_accumulation_steps", r.gradient_accumulation_steps,
              "such parts in a batch, which is one optimizer step", {.range = kAtLeastOne});
  options.add("per_device_eval_batch_size", r.per_device_eval_batch_size,
              "examples evaluated at once",
              {.range = kAtLeastOne, .old_names = {"eval_batch_size", "per_gpu_eval_batch_size"}});
  options.add("train_sampling_strategy", r.train_sampling_strategy,
              "order of the training data: shuffled anew for each epoch, or as in the files");
  options.add("dataloader_drop_last", r.dataloader_drop_last,
              "leave out the last batch of an epoch where it is not full");
  options.add(
      "max_pack_tokens", r.max_pack_tokens,
      "most tokens computed at once, whatever the batch size, by rows that fill them best; 0: no "
      "limit",
      {.range = kNonNegative});
  options.add(
      "recompute", r.recompute,
      "compute activations again in the backward pass, for the same result in less memory: "
      "those of the MLP (half of them, a tenth more time), or all of a layer's (a third "
      "more time); auto: as much as the memory asks for",
      {.choices = {"auto", "none", "mlp", "layers"},
       .flags = {{"gradient_checkpointing", "layers"}, {"activation_checkpointing", "layers"}}});
  options.add(
      "compute", r.compute,
      "type to which the factors of matrix products are rounded; on a processor bfloat16 needs "
      "AVX-512 and is about half again as fast as float32 where it has instructions for it; on a "
      "GPU activations are kept in it too; auto: bfloat16 on a GPU, float32 elsewhere",
      {.choices = {"auto", "float32", "bfloat16"}});
}

void add_record_options(OptionSet& options, TrainRecipe& r) {
  options.group("Logging, evaluation and checkpoints (steps below 1 are a part of all steps)");
  options.add("logging_steps", r.logging_steps, "steps between log entries", {.range = kPositive});
  options.add("eval_strategy", r.eval_strategy, "when to evaluate on eval_dataset",
              {.old_names = {"evaluation_strategy"}});
  options.add("eval_steps", r.eval_steps, "steps between evaluations",
              {.range = kPositive, .default_text = "logging_steps"});
  options.add(
      "eval_samples", r.eval_samples,
      "prompts of the evaluation data that each evaluation answers, for a person to read; 0: "
      "none",
      {.range = within(0, 1000)});
  options.add("eval_sample_tokens", r.eval_sample_tokens, "longest of these answers",
              {.range = kAtLeastOne});
  options.add("save_strategy", r.save_strategy, "when to write a checkpoint");
  options.add("save_steps", r.save_steps, "steps between checkpoints", {.range = kPositive});
  options.add("save_total_limit", r.save_total_limit, "checkpoints kept; older ones are deleted",
              {.range = kAtLeastOne, .default_text = "all"});
  options.add("max_shard_size", r.max_shard_size, "largest size of a written weights file");
  options.add("report_to", r.report_to,
              "tensorboard: event files that TensorBoard shows; none: no such files",
              {.value_name = "NAME"});
  options.add("logging_dir", r.logging_dir, "folder for the event files",
              {.value_name = "DIR", .default_text = "a new one in output_dir/runs"});
  options.add("disable_tqdm", r.disable_tqdm, "no progress line");
  options.add("log_level", r.log_level, "least important messages shown");
}

void add_machine_options(OptionSet& options, TrainRecipe& r) {
  options.group("Machine");
  options.add("seed", r.seed, "seed of everything random", {.range = kNonNegative, .letter = 's'});
  options.add("data_seed", r.data_seed, "seed of the order of the data",
              {.range = kNonNegative, .default_text = "seed"});
  options.add(
      "device", r.device,
      "what computes: cpu, cuda, or cuda:N for one of several GPUs; auto: a GPU where there "
      "is one and lmpo was built for it");
  options.add("threads", r.threads, "threads; 0: one for each processor",
              {.range = within(0, 1024), .letter = 't'});
  options.add("max_memory", r.max_memory,
              "refuse to start a run that needs more; 0: what the machine has free");
  options.add("dry_run", r.dry_run,
              "show every setting and where it came from, the plan of the run, its memory and, by "
              "trying a few rows, its time; and stop");
  options.add("time_estimate", r.time_estimate, "with dry_run: measure how long the run will take");
}

std::string objectives_section() {
  std::string text;
  for (const ObjectiveInfo& info : objectives()) {
    text += fmt::format("  {:<8}{}\n          {}\n", info.name, info.summary, info.formula);
  }
  return text;
}

// What most runs say.
std::vector<std::string> common_options(const TrainRecipe& recipe) {
  std::vector<std::string> names = {"model_name_or_path", "dataset", "eval_dataset", "output_dir",
                                    "resume_from_checkpoint"};
  const std::vector<std::string> of_objective = recipe.is_sft()
                                                    ? std::vector<std::string>{"sft_on"}
                                                    : std::vector<std::string>{"objective", "beta"};
  names.insert(names.end(), of_objective.begin(), of_objective.end());
  names.insert(names.end(),
               {"learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size",
                "gradient_accumulation_steps", "max_length", "dtype", "eval_strategy",
                "logging_steps", "save_steps", "seed", "device", "dry_run"});
  return names;
}

}  // namespace

std::string TrainRecipe::chat_template() const {
  return holds_template(chat_template_path) ? chat_template_path.string()
                                            : read_file(chat_template_path);
}

std::string TrainRecipe::chat_template_source() const {
  return holds_template(chat_template_path) ? "chat_template" : chat_template_path.string();
}

std::int64_t absolute_steps(double steps_or_ratio, std::int64_t total) {
  const double steps =
      steps_or_ratio < 1 ? std::ceil(steps_or_ratio * static_cast<double>(total)) : steps_or_ratio;
  return static_cast<std::int64_t>(std::min(steps, 0x1p62));  // beyond every run
}

void add_data_options(OptionSet& options, DataOptions& data) {
  options.group("Text to tokens");
  options.add("boundary", data.boundary,
              "where the response begins: trl: after the generation prompt; simpo: as the SimPO "
              "and LMPO runs did, with the assistant's header scored");
  options.add("max_length", data.max_length, "most tokens of prompt and response",
              {.range = at_least(2),
               .old_names = {"cutoff_len", "max_seq_length"},
               .default_text = data.max_length ? "" : "no limit"});
  options.add("max_prompt_length", data.max_prompt_length,
              "selects the older way to truncate: prompts that are too long are cut to this, then "
              "responses to the rest of max_length; unset: only max_length counts",
              {.range = kAtLeastOne, .default_text = "unset"});
  options.add("truncation_mode", data.truncation_mode, "the end that survives where text is cut",
              {.default_text = "keep_end with max_prompt_length, else keep_start"});
  options.add("sft_on", data.sft_target, "what sft scores");
  options.add("auto_insert_empty_system_msg", data.insert_empty_system,
              "boundary simpo: begin conversations without a system turn with an empty one, where "
              "the template knows of it");
  options.add("split_special_tokens", data.split_special_tokens,
              "special tokens that stand in prompts and responses are ordinary text, so that no "
              "text can end a turn; without, they are what they say, as in transformers");
}

void add_objective_options(OptionSet& options, ObjectiveOptions& o) {
  const auto add = [&](const char* name, auto& value, const char* help, OptionTraits traits = {}) {
    options.add(name, value, help + users(name), std::move(traits));
  };
  add("beta", o.beta, "scale of the rewards",
      {.range = kPositive, .old_names = {"pref_beta", "rl_beta"}});
  add("gamma", o.gamma, "target margin between the rewards",
      {.old_names = {"simpo_gamma"}, .default_text = "gamma_beta_ratio * beta"});
  add("home_advantage", o.home_advantage, "log h, the target margin",
      {.default_text = "1.6, or gamma_beta_ratio * beta"});
  add("gamma_beta_ratio", o.gamma_beta_ratio, "gamma or home_advantage as a multiple of beta",
      {.default_text = "0.25 with simpo"});
  add("loss_type", o.loss_type, "shape of the loss",
      {.elsewhere = {{"simpo", "objective", "simpo"}, {"kto", "objective", "kto"}}});
  add("label_smoothing", o.label_smoothing, "chance that a pair's labels are swapped",
      {.range = {.low = 0, .high = 0.5, .high_open = true}});
  add("sft_weight", o.sft_weight, "weight of the chosen responses' NLL, a mean over tokens",
      {.range = kNonNegative});
  add("cpo_alpha", o.cpo_alpha, "weight of the chosen responses' NLL, a mean over tokens",
      {.range = kNonNegative});
  add("delta", o.delta, "margin between the responses' log-probabilities", {.range = kNonNegative});
  add("rdpo_alpha", o.rdpo_alpha, "price of a token of length", {.range = kNonNegative});
  add("nll_on", o.nll_on, "whose NLL: of the chosen conversation, or of its response alone");
  add("desirable_weight", o.desirable_weight, "weight of responses that were approved of",
      {.range = kNonNegative});
  add("undesirable_weight", o.undesirable_weight, "weight of the others", {.range = kNonNegative});
  add("lambda", o.lambda, "weight of the margin (slic: of the chosen response's likelihood)",
      {.range = kNonNegative});
  add("margin", o.margin, "margin function");
  add("margin_alpha", o.margin_alpha, "alpha of margin log", {.range = kPositive});
  add("margin_beta", o.margin_beta, "beta of margin sigmoid", {.range = kPositive});
  add("margin_scale", o.margin_scale, "factor of the margin; the published code has 0.5",
      {.range = kPositive});
  add("margin_gradient", o.margin_gradient,
      "detach: the margin is a constant in the gradient, as in the published code; full: it is "
      "not");
  add("length_normalization", o.length_normalization,
      "average: responses are compared at the pair's average length; none: each at its own");
  add("zscore", o.zscore,
      "statistics that normalise the margin: moving average, whole run, as the published code, or "
      "none");
  add("ema_decay", o.ema_decay, "decay of zscore ema and code", {.range = kInsideUnit});
  add("zscore_group", o.zscore_group, "pairs in a group of zscore code", {.range = kAtLeastOne});
}

void add_train_options(OptionSet& options, TrainRecipe& recipe) {
  options.accept_config_file();
  add_model_options(options, recipe);
  add_data_options(options, recipe.data);
  options.group("Objective");
  options.add("objective", recipe.objective, "what is trained",
              {.choices = objective_names(),
               .old_names = {"pref_loss"},
               .spellings = {{"sigmoid", "dpo"}}});
  add_objective_options(options, recipe.objective_options);
  options.add("ref_model_name_or_path", recipe.reference_model,
              "folder of the frozen reference model of dpo, ipo, hinge, rdpo and kto",
              {.synonyms = {"ref_model"}, .default_text = "the model as it is before training"});
  options.add("reference_cache", recipe.reference_cache,
              "folder in which the reference's log-probabilities are kept for later runs",
              {.default_text = "$LMPO_CACHE, $XDG_CACHE_HOME/lmpo or ~/.cache/lmpo"});
  add_optimizer_options(options, recipe);
  add_batch_options(options, recipe);
  add_record_options(options, recipe);
  add_machine_options(options, recipe);
  options.section("Objectives", objectives_section());
  options.common(common_options(recipe));

  options.adjust_defaults([&recipe] {
    recipe.objective_options = find_objective(recipe.objective).defaults;
    if (recipe.is_sft()) {
      recipe.learning_rate = 2e-5;
    }
  });
  add_recipe_checks(options, recipe);
}

std::string objectives_markdown() {
  std::string text = "| objective | loss of a pair | what it is | options |\n|---|---|---|---|\n";
  for (const ObjectiveInfo& info : objectives()) {
    std::vector<std::string> names;
    for (const std::string_view name : info.options) {
      names.push_back(fmt::format("`{}`", name));
    }
    text += fmt::format("| `{}` | {} | {} | {} |\n", info.name, info.formula, info.summary,
                        join(names, ", "));
  }
  return text;
}

}  // namespace lmpo

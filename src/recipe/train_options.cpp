// The options of a training run.
#include <fmt/format.h>

#include "objective/registry.h"
#include "recipe/kwargs_option.h"
#include "recipe/recipe_checks.h"
#include "recipe/recipe_defaults.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

constexpr Range kAtLeastOne = at_least(1);
constexpr Range kExamples = within(1, static_cast<double>(kMostExamples));
constexpr Range kNonNegative = at_least(0);

std::vector<std::string> objective_names() {
  std::vector<std::string> names;
  for (const ObjectiveInfo& info : objectives()) {
    names.emplace_back(info.name);
  }
  return names;
}

void add_model_options(OptionSet& options, TrainRecipe& r) {
  options.group("Model and files");
  options.add_named_or_positional("model_name_or_path", r.model_name_or_path,
                                  "folder of the Hugging Face checkpoint to start from",
                                  {.value_name = "DIR",
                                   .letter = 'm',
                                   .synonyms = {"model"},
                                   .old_names = {"base_model"},
                                   .required = true});
  options.add("dataset", r.dataset,
              "training data: files of JSON, JSONL (also compressed by gzip or zstd) or Parquet, "
              "patterns (*) of them, dataset folders; or, for more control, a mapping "
              "'{path: DIR, split: \"train_prefs[:1000]\", weight: 0.5, columns: {theirs: ours}}'",
              {.value_name = "DATA",
               .synonyms = {"data", "datasets"},
               .old_names = {"dataset_name", "train_file", "dataset_mixer"},
               .required = true,
               .structured = true});
  options.add("eval_dataset", r.eval_dataset, "evaluation data, given like dataset",
              {.value_name = "DATA",
               .old_names = {"validation_file", "test_datasets"},
               .structured = true});
  options.add("dataset_dir", r.dataset_dir,
              "folder with LLaMA-Factory's dataset_info.json, which says which file each name in "
              "dataset stands for",
              {.value_name = "DIR", .default_text = "data, in recipes of LLaMA-Factory"});
  options.add("max_samples", r.max_samples, "use at most this many rows of each dataset; 0: all",
              {.range = kNonNegative});
  options.add("dataset_config", r.dataset_config, "configuration to read of dataset folders",
              {.default_text = "the default one"});
  options.add("dataset_train_split", r.dataset_train_split, "split of dataset folders to train on",
              {.old_names = {"dataset_split"},
               .default_text = "train, or the only split whose name begins with train"});
  options.add("dataset_test_split", r.dataset_test_split,
              "split of dataset folders to evaluate on, unless eval_dataset is given",
              {.default_text = "test or validation, if evaluation is asked for"});
  options.add("dataset_splits", r.dataset_splits,
              "splits, as in the alignment handbook: those with 'train' in their names are for "
              "training, the others for evaluation",
              {.value_name = "NAME"});
  options.add("test_split_size", r.test_split_size,
              "rows of the training data to hold out for evaluation; below 1, a fraction of them",
              {.range = kNonNegative, .synonyms = {"val_size", "val_set_size", "test_size"}});
  options.add("test_split_seed", r.test_split_seed,
              "seed that chooses the rows of test_split_size (the seed in dataset_mixture)",
              {.range = kNonNegative, .default_text = "data_seed"});
  options.add("token_cache", r.token_cache,
              "folder in which tokens are cached for the next start; auto: ~/.cache/lmpo, except "
              "for small data; none: no cache",
              {.value_name = "DIR"});
  options.add("output_dir", r.output_dir, "folder for the trained model, checkpoints and logs",
              {.value_name = "DIR"});
  options.add("overwrite_output_dir", r.overwrite_output_dir,
              "train into a folder that is not empty; an earlier run in it is removed");
  options.add("resume_from_checkpoint", r.resume_from_checkpoint,
              "resume from a checkpoint folder; without a value: from the newest one in output_dir",
              {.value_name = "[DIR]", .synonyms = {"resume"}, .implied = "true"});
  options.add("dtype", r.dtype,
              "type of the weights; 16-bit types also keep an exact float32 master copy; auto: the "
              "checkpoint's type",
              {.choices = {"float32", "bfloat16", "float16", "auto"},
               .old_names = {"torch_dtype"},
               .flags = {{"bf16", "bfloat16"},
                         {"fp16", "float16"},
                         {"bfloat16", "bfloat16"},
                         {"float16", "float16"},
                         {"pure_bf16", "bfloat16"}},
               .changes_result = true});
  options.add("chat_template_path", r.chat_template_path,
              "file with a chat template, or the template itself, to use instead of the model's",
              {.value_name = "FILE", .synonyms = {"chat_template"}});
  options.add("template_date", r.template_date,
              "the date that a chat template writes, YYYY-MM-DD; by default the day of the run's "
              "start, which a resumed run keeps",
              {.value_name = "DATE"});
}

void add_optimizer_options(OptionSet& options, TrainRecipe& r) {
  options.group("Optimizer");
  options.add("optim", r.optim,
              "AdamW. 8bit: moments of matrices in 8 bits, in a quarter of the memory, with nearly "
              "the same "
              "training; paged: moments in a file in the output folder (on a GPU: in host memory), "
              "with the "
              "same result",
              {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"},
               .old_names = {"optimizer"},
               .spellings = {{"adamw", "adamw_torch"},
                             {"adamw_hf", "adamw_torch"},
                             {"adamw_torch_fused", "adamw_torch"},
                             {"adamw_torch_npu_fused", "adamw_torch"},
                             {"adamw_apex_fused", "adamw_torch"},
                             {"optimi_adamw", "adamw_torch"},
                             {"adamw_bnb_8bit", "adamw_8bit"},
                             {"adamw_torch_8bit", "adamw_8bit"},
                             {"ao_adamw_8bit", "adamw_8bit"},
                             {"paged_adamw", "paged_adamw_32bit"}},
               .changes_result = true});
  options.add("freeze", r.freeze,
              "parameters that do not train, by patterns over their names in the checkpoint: "
              "'model.embed_tokens.*', 'model.layers.[0-7].*', '*.mlp.*'",
              {.value_name = "PATTERN", .old_names = {"freeze_params"}, .changes_result = true});
  options.add("learning_rate", r.learning_rate, "peak learning rate of AdamW",
              {.range = kNonNegative, .old_names = {"lr"}, .changes_result = true});
  options.add("lr_scheduler_type", r.lr_scheduler_type, "learning rate schedule after the warm-up",
              {.old_names = {"lr_scheduler"}, .changes_result = true});
  options.add("warmup_steps", r.warmup_steps,
              "steps of linear warm-up; below 1, a fraction of all steps",
              {.range = kNonNegative, .changes_result = true});
  options.add("warmup_ratio", r.warmup_ratio,
              "warm-up as a fraction of all steps; used if warmup_steps is 0",
              {.range = within(0, 1), .changes_result = true});
  options.add("weight_decay", r.weight_decay, "decoupled weight decay",
              {.range = kNonNegative, .changes_result = true});
  options.add("adam_beta1", r.adam_beta1, "decay of the first moment",
              {.range = {.low = 0, .high = 1, .high_open = true}, .changes_result = true});
  options.add("adam_beta2", r.adam_beta2, "decay of the second moment",
              {.range = {.low = 0, .high = 1, .high_open = true}, .changes_result = true});
  options.add("adam_epsilon", r.adam_epsilon, "added to the root of the second moment",
              {.range = kPositive, .old_names = {"adam_eps"}, .changes_result = true});
  options.add("max_grad_norm", r.max_grad_norm, "clip gradients to this norm; 0: no clipping",
              {.range = kNonNegative, .changes_result = true});
  options.add(
      "pad_token_gradient", r.pad_token_gradient,
      "train the embedding of config.json's pad_token_id like any other; false: no gradient "
      "for it as an input, as in transformers (nn.Embedding's padding_idx)",
      {.changes_result = true});
  options.add("skip_nonfinite", r.skip_nonfinite,
              "skip pairs whose loss is not finite instead of stopping", {.changes_result = true});
}

void add_batch_options(OptionSet& options, TrainRecipe& r) {
  options.group("Length and batches");
  options.add("num_train_epochs", r.num_train_epochs, "passes over the training data",
              {.range = {.low = 0, .high = 1e6, .low_open = true},
               .old_names = {"num_epochs"},
               .changes_result = true});
  options.add("max_steps", r.max_steps,
              "train for this many steps instead of num_train_epochs; -1: unset",
              {.range = within(-1, static_cast<double>(kMostSteps)), .changes_result = true});
  options.add("per_device_train_batch_size", r.per_device_train_batch_size,
              "micro-batch size: examples computed together. Results depend only on the batch "
              "size, which is "
              "this number times gradient_accumulation_steps",
              {.range = kAtLeastOne,
               .old_names = {"micro_batch_size", "per_gpu_train_batch_size"},
               .changes_result = true});
  options.add("gradient_accumulation_steps", r.gradient_accumulation_steps,
              "micro-batches per optimizer step", {.range = kAtLeastOne, .changes_result = true});
  options.add("per_device_eval_batch_size", r.per_device_eval_batch_size,
              "micro-batch size of evaluations",
              {.range = kExamples, .old_names = {"eval_batch_size", "per_gpu_eval_batch_size"}});
  options.add(
      "train_sampling_strategy", r.train_sampling_strategy,
      "order of the training data. random: shuffled anew in each epoch; sequential: as in the "
      "files",
      {.changes_result = true});
  options.add("dataloader_drop_last", r.dataloader_drop_last,
              "skip the last batch of an epoch if it is not full", {.changes_result = true});
  options.add(
      "max_pack_tokens", r.max_pack_tokens,
      "most tokens in a micro-batch, which may then hold fewer examples; rows are grouped to fill "
      "it; 0: no limit",
      {.range = kNonNegative});
  options.add(
      "recompute", r.recompute,
      "recompute activations in the backward pass: same result in less memory. mlp: those of the "
      "MLP (half of all; a tenth more time); layers: all (a third more time); auto: as much as the "
      "memory requires",
      {.choices = {"auto", "none", "mlp", "layers"},
       .flags = {{"gradient_checkpointing", "layers"}, {"activation_checkpointing", "layers"}}});
  options.add(
      "compute", r.compute,
      "type of the inputs of matrix products. On a CPU bfloat16 needs AVX-512, and with AVX-512 "
      "BF16 is about 1.5 times as fast as float32; on a GPU activations have this type, too; auto: "
      "bfloat16 on a GPU, float32 on a CPU",
      {.choices = {"auto", "float32", "bfloat16"}, .changes_result = true});
}

void add_record_options(OptionSet& options, TrainRecipe& r) {
  options.group("Logging, evaluation and checkpoints (steps below 1 are a fraction of all steps)");
  options.add("logging_steps", r.logging_steps, "steps between log entries", {.range = kPositive});
  options.add("eval_strategy", r.eval_strategy,
              "when to evaluate; no: never, and evaluation data is not read",
              {.old_names = {"evaluation_strategy"}});
  options.add("eval_steps", r.eval_steps, "steps between evaluations",
              {.range = kPositive, .default_text = "logging_steps"});
  options.add("evals_per_epoch", r.evals_per_epoch, "evaluations per epoch, instead of eval_steps",
              {.range = kNonNegative, .default_text = "unset"});
  options.add("eval_on_start", r.eval_on_start, "also evaluate before the first step");
  options.add(
      "eval_samples", r.eval_samples,
      "sample answers that each evaluation writes, to prompts of the evaluation data; 0: none",
      {.range = within(0, 1000)});
  options.add("eval_sample_tokens", r.eval_sample_tokens, "most tokens of a sample answer",
              {.range = kAtLeastOne});
  options.add("save_strategy", r.save_strategy, "when to write a checkpoint");
  options.add("save_steps", r.save_steps, "steps between checkpoints", {.range = kPositive});
  options.add("saves_per_epoch", r.saves_per_epoch, "checkpoints per epoch, instead of save_steps",
              {.range = kNonNegative, .default_text = "unset"});
  options.add("save_total_limit", r.save_total_limit, "checkpoints to keep; older ones are deleted",
              {.range = kAtLeastOne, .default_text = "all"});
  options.add(
      "load_best_model_at_end", r.load_best_model_at_end,
      "write the best checkpoint, instead of the last weights, as the trained model; the best "
      "checkpoint is never deleted");
  options.add("metric_for_best_model", r.metric_for_best_model,
              "evaluation metric that decides which checkpoint is best, with or without eval_",
              {.default_text = "loss"});
  options.add("greater_is_better", r.greater_is_better,
              "whether a greater value of the metric is better",
              {.default_text = "false if the metric's name ends with loss, else true"});
  options.add("early_stopping_patience", r.early_stopping_patience,
              "stop after this many evaluations in a row without a better metric; 0: never",
              {.range = kNonNegative});
  options.add("early_stopping_threshold", r.early_stopping_threshold,
              "smallest improvement of the metric that early stopping counts",
              {.range = kNonNegative});
  options.add("max_shard_size", r.max_shard_size, "largest weights file");
  options.add("report_to", r.report_to,
              "tensorboard: write event files for TensorBoard; none: write none",
              {.value_name = "NAME"});
  options.add("logging_dir", r.logging_dir, "folder for the event files",
              {.value_name = "DIR", .default_text = "a new one in output_dir/runs"});
  options.add("disable_tqdm", r.disable_tqdm, "hide the progress bar");
  options.add("log_level", r.log_level, "least important messages to show");
}

void add_machine_options(OptionSet& options, TrainRecipe& r) {
  options.group("Machine");
  options.add("seed", r.seed, "random seed",
              {.range = kNonNegative, .letter = 's', .changes_result = true});
  options.add("data_seed", r.data_seed, "seed of the order of the training data",
              {.range = kNonNegative, .default_text = "seed", .changes_result = true});
  options.add(
      "device", r.device,
      "device to run on: cpu, cuda, or cuda:N; auto: a GPU if there is one and lmpo was built for "
      "it",
      {.changes_result = true});
  options.add("threads", r.threads, "threads to use; 0: one per processor",
              {.range = within(0, 1024), .letter = 't'});
  options.add("max_memory", r.max_memory,
              "memory that the run may use; it does not start if it needs more; 0: what is free");
  options.add(
      "dry_run", r.dry_run,
      "show every setting and where it came from, the memory the run needs and an estimate of "
      "its time, then stop");
  options.add("time_estimate", r.time_estimate,
              "with dry_run: estimate the time by computing a few rows");
}

std::string objectives_section() {
  std::string text;
  for (const ObjectiveInfo& info : objectives()) {
    text += fmt::format("  {:<8}{}\n          {}\n", info.name, info.summary, info.formula);
  }
  return text;
}

// What most runs set.
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

void add_template_kwargs(OptionSet& options, ordered_json& kwargs) {
  options.add("chat_template_kwargs", kwargs,
              "switches of the chat template, such as {\"enable_thinking\": false}; a row's own "
              "chat_template_kwargs come on top",
              {.default_text = "none", .structured = true});
}

void add_data_options(OptionSet& options, DataOptions& data) {
  options.group("Text to tokens");
  options.add("boundary", data.boundary,
              "where the response begins. trl: after the generation prompt; simpo: as in the "
              "published SimPO and LMPO runs, which score the assistant's header too; "
              "simpo_published: exactly as in those runs, even if that scores a template's default "
              "system turn");
  options.add("max_length", data.max_length, "most tokens of a prompt with its response",
              {.range = at_least(2),
               .old_names = {"cutoff_len", "max_seq_length", "sequence_len"},
               .default_text = data.max_length ? "" : "no limit"});
  options.add("max_prompt_length", data.max_prompt_length,
              "truncate in TRL's older way: cut long prompts to this length, then responses to the "
              "rest of max_length; unset: use max_length alone",
              {.range = kAtLeastOne, .default_text = "unset"});
  options.add("truncation_mode", data.truncation_mode,
              "which end of a text to keep when it is truncated",
              {.default_text = "keep_end with max_prompt_length, else keep_start"});
  options.add(
      "sft_on", data.sft_target,
      "sft: score the response (the last turn), the whole conversation, every turn of the "
      "assistant, or what the chat template marks with {% generation %}; assistant takes the marks "
      "of a template that has some",
      {.flags = {{"train_on_prompt", "conversation"},
                 {"train_on_inputs", "conversation"},
                 {"assistant_only_loss", "assistant"},
                 {"mask_history", "response"},
                 {"no_mask_history", "assistant"}}});
  add_template_kwargs(options, data.chat_template_kwargs);
  options.add(
      "auto_insert_empty_system_msg", data.insert_empty_system,
      "boundary simpo: begin a conversation that has no system turn with an empty one, if the "
      "template handles system turns");
  options.add("split_special_tokens", data.split_special_tokens,
              "treat special tokens in prompts and responses as ordinary text, so that no text can "
              "end a turn; without it they keep their meaning, as in transformers");
}

void add_train_options(OptionSet& options, TrainRecipe& recipe) {
  options.accept_config_file();
  add_model_options(options, recipe);
  add_data_options(options, recipe.data);
  options.group("Objective");
  options.add("objective", recipe.objective, "training objective",
              {.choices = objective_names(),
               .old_names = {"pref_loss", "rl", "rlhf_type"},
               .spellings = {{"sigmoid", "dpo"}},
               .decides_defaults = true,
               .changes_result = true});
  add_objective_options(options, recipe.objective_options);
  options.add("ref_model_name_or_path", recipe.reference_model,
              "folder of the frozen reference model, for dpo, ipo, hinge, rdpo and kto",
              {.synonyms = {"ref_model"},
               .default_text = "the model as it is before training",
               .changes_result = true});
  options.add("reference_cache", recipe.reference_cache,
              "folder in which the reference's log-probabilities are cached for later runs",
              {.default_text = "$LMPO_CACHE, $XDG_CACHE_HOME/lmpo or ~/.cache/lmpo"});
  add_optimizer_options(options, recipe);
  add_batch_options(options, recipe);
  add_record_options(options, recipe);
  add_machine_options(options, recipe);
  options.section("Objectives", objectives_section());
  options.common(common_options(recipe));

  options.adjust_defaults([&options, &recipe] { adjust_recipe(options, recipe); });
  add_recipe_checks(options, recipe);
}

std::vector<std::string> options_that_change_result() {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  return options.names_that_change_result();
}

}  // namespace lmpo

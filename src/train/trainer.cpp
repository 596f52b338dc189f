#include "train/trainer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "ops/timed_ops.h"
#include "train/examples.h"
#include "train/interrupt.h"
#include "train/machine_memory.h"
#include "train/memory_plan.h"
#include "train/optimizer.h"
#include "train/records.h"
#include "train/reference.h"
#include "train/schedule.h"

namespace lmpo {
namespace {

using Trees = std::vector<const Tree*>;

Trees pointers(const std::vector<Tree>& trees) {
  Trees result;
  for (const Tree& tree : trees) {
    result.push_back(&tree);
  }
  return result;
}

std::int64_t longest_sequence(const TrainInputs& inputs) {
  std::size_t longest = 1;
  const auto look = [&](const Dataset& dataset) {
    for (const Tree& tree : dataset.trees) {
      for (const Sequence& sequence : tree.sequences) {
        longest = std::max(longest, sequence.tokens.size());
      }
    }
  };
  look(inputs.train);
  if (inputs.evaluation) {
    look(*inputs.evaluation);
  }
  return static_cast<std::int64_t>(longest);
}

std::int64_t all_tokens(const Trees& batch) {
  std::size_t total = 0;
  for (const Tree* tree : batch) {
    for (const Sequence& sequence : tree->sequences) {
      total += sequence.tokens.size();
    }
  }
  return static_cast<std::int64_t>(total);
}

std::string rows_of(const Trees& batch) {
  std::vector<std::int64_t> rows;
  for (const Tree* tree : batch) {
    rows.push_back(tree->row);
  }
  return fmt::format("{}", fmt::join(rows, ", "));
}

SamplerOptions sampler_options(const TrainRecipe& recipe) {
  return {.global_batch = recipe.train_batch_size(),
          .seed = static_cast<std::uint64_t>(recipe.data_seed.value_or(recipe.seed)),
          .shuffle = recipe.train_sampling_strategy == TrainRecipe::Sampling::random,
          .drop_last = recipe.dataloader_drop_last};
}

json option_values(const ordered_json& record) {
  json values = json::object();
  for (const auto& [name, entry] : record.items()) {
    values[name] = json(entry.value("value", ordered_json()));
  }
  return values;
}

json dataset_record(const Dataset& dataset) {
  json dropped = json::object();
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    const auto reason = static_cast<DropReason>(i);
    if (dataset.drops.count(reason) > 0) {
      dropped[std::string(name(reason))] = dataset.drops.count(reason);
    }
  }
  return {{"rows", dataset.rows},
          {"used", dataset.trees.size()},
          {"truncated", dataset.truncated},
          {"dropped", dropped}};
}

class Trainer {
 public:
  explicit Trainer(TrainInputs inputs);
  TrainOutcome run();

 private:
  void plan();
  // Of training and of evaluation.
  std::pair<LargestPacks, LargestPacks> largest_packs() const;
  void show_plan() const;
  void score_reference();
  TreePacks first_epoch() const;
  void prepare();
  void restore();
  TrainOutcome loop();
  void step();
  void check_first_loss(double loss) const;
  void update(const BatchResult& result, const Trees& batch);
  void log();
  void evaluate();
  std::string arithmetic() const;
  // `arithmetic` ends the line a person sees.
  void record(json entry, const std::string& arithmetic = "");
  void save_checkpoint();
  void write_model(const fs::path& folder);
  void rotate_checkpoints();
  void finish();
  void write_run_record(const json& result) const;
  bool smaller_packs() const { return most_trees_ < recipe().per_device_train_batch_size; }
  PackLimits train_limits() const { return {most_trees_, recipe().max_pack_tokens}; }
  PackLimits eval_limits() const {
    const std::int64_t trees = recipe().per_device_eval_batch_size;
    return {smaller_packs() ? std::min(trees, most_trees_) : trees, recipe().max_pack_tokens};
  }
  StoragePlan storage_plan() const {
    return {storage_, recipe().eight_bit_moments(), recipe().paged_moments()};
  }
  const TrainRecipe& recipe() const { return inputs_.recipe; }
  Trees next_batch(Sampler& sampler) const;

  TrainInputs inputs_;
  std::optional<fs::path> resume_;  // the checkpoint to go on from
  fs::path weights_folder_;
  ModelConfig config_;
  Dtype storage_;
  RunLength length_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<Ops> device_ops_;
  StepTimes times_;  // of the steps since the last log
  double step_seconds_ = 0;
  std::unique_ptr<Ops> ops_;  // the device's, timed
  LlamaOptions model_options_;
  Sampler sampler_;
  TrainState state_;
  MemoryPlan plan_;
  std::int64_t most_trees_ = 0;  // in a pack
  std::int64_t last_saved_ = -1;
  std::int64_t last_evaluated_ = -1;

  // Made by prepare.
  std::optional<Arena> arena_;
  std::optional<Arena> moments_;  // in a file
  std::optional<Weights> weights_;
  std::optional<Llama> model_;
  std::optional<Progress> progress_;
};

Trainer::Trainer(TrainInputs inputs)
    : inputs_(std::move(inputs)),
      resume_(recipe().resume_from_checkpoint.empty()
                  ? std::nullopt
                  : std::optional(
                        find_checkpoint(recipe().resume_from_checkpoint, recipe().output_dir))),
      weights_folder_(resume_.value_or(recipe().model_name_or_path)),
      config_(read_model_config(weights_folder_)),
      storage_(recipe().dtype == "auto" ? config_.dtype : parse_dtype(recipe().dtype)),
      length_(recipe(), std::ssize(inputs_.train.trees)),
      objective_(make_objective(recipe().objective, recipe().objective_options)),
      device_ops_(make_cpu_ops(parse_dtype(recipe().compute))),
      ops_(make_timed_ops(*device_ops_, times_)),
      model_options_{.max_positions = longest_sequence(inputs_),
                     .recompute = recipe().recompute == "auto"
                                      ? Recompute::none
                                      : parse_recompute(recipe().recompute)},
      sampler_(std::ssize(inputs_.train.trees), sampler_options(recipe())) {
  state_.data_fingerprint = data_fingerprint(inputs_.train.trees);
  state_.options = option_values(inputs_.options);
  if (model_options_.max_positions > config_.max_positions) {
    log_warning("the longest sequence has {} tokens, the model was made for {}",
                model_options_.max_positions, config_.max_positions);
  }
}

TrainOutcome Trainer::run() {
  plan();
  show_plan();
  if (recipe().dry_run) {
    return TrainOutcome::planned;
  }
  require_memory(plan_, static_cast<std::size_t>(recipe().max_memory.count));
  if (objective_->needs_reference()) {
    score_reference();
  }
  prepare();
  try {
    const TrainOutcome outcome = loop();
    if (outcome == TrainOutcome::done) {
      finish();
    }
    return outcome;
  } catch (const MachineError& error) {
    if (last_saved_ < 0) {
      throw;
    }
    machine_error("{}\nStep {} is saved: go on from it with --resume_from_checkpoint", error.what(),
                  last_saved_);
  }
}

// --- before the first step
// ---------------------------------------------------------------------------------------------

Trees Trainer::next_batch(Sampler& sampler) const {
  Trees batch;
  for (const std::int64_t index : sampler.next()) {
    batch.push_back(&inputs_.train.trees[static_cast<std::size_t>(index)]);
  }
  return batch;
}

// The fastest way that fits. Recomputation comes before smaller packs, because it leaves every bit
// as it is. Where nothing fits, the plan is the smallest.
void Trainer::plan() {
  const auto limit = static_cast<std::size_t>(recipe().max_memory.count);
  std::vector<Recompute> ways = {Recompute::none, Recompute::mlp, Recompute::layers};
  if (recipe().recompute != "auto") {
    ways = {parse_recompute(recipe().recompute)};
  }
  for (most_trees_ = recipe().per_device_train_batch_size;; most_trees_ /= 2) {
    const auto [training, evaluation] = largest_packs();
    for (const Recompute way : ways) {
      model_options_.recompute = way;
      plan_ = plan_memory(config_, storage_plan(), model_options_, training, evaluation, *ops_);
      if (fits_in_memory(plan_, limit)) {
        return;
      }
    }
    if (most_trees_ == 1) {
      return;
    }
  }
}

std::pair<LargestPacks, LargestPacks> Trainer::largest_packs() const {
  LargestPacks training;
  LargestPacks evaluation;
  Sampler sampler(std::ssize(inputs_.train.trees), sampler_options(recipe()));
  for (std::int64_t step = 0; step < length_.total_steps; ++step) {
    training.add(next_batch(sampler), train_limits());
  }
  if (inputs_.evaluation) {
    evaluation.add(pointers(inputs_.evaluation->trees), eval_limits());
  }
  return {std::move(training), std::move(evaluation)};
}

void Trainer::show_plan() const {
  log_info("{} steps of {} examples, {} in an epoch; {}, warm-up {} steps, {} threads",
           length_.total_steps, recipe().train_batch_size(), length_.steps_per_epoch,
           recipe().objective, length_.warmup, threads());
  log_info("memory: {} planned ({} arena, {} for the rest); recomputed in backward: {}",
           readable_bytes(plan_.total()), readable_bytes(plan_.arena), readable_bytes(plan_.fixed),
           recompute_name(model_options_.recompute));
  if (smaller_packs()) {
    log_info("{} examples are computed at once instead of {}, because more need more memory",
             most_trees_, recipe().per_device_train_batch_size);
  }
  if (recipe().dry_run) {
    fmt::print("{}", plan_.table());
  }
}

// The packs of the first epoch as training will cut them, and after them what it leaves out.
TreePacks Trainer::first_epoch() const {
  TreePacks packs;
  std::set<const Tree*> left;
  for (const Tree& tree : inputs_.train.trees) {
    left.insert(&tree);
  }
  const auto add = [&](const Trees& batch) {
    for (auto& pack : packs_of(batch, train_limits())) {
      packs.push_back(std::move(pack));
    }
  };
  Sampler sampler(std::ssize(inputs_.train.trees), sampler_options(recipe()));
  for (std::int64_t step = 0; step < length_.steps_per_epoch; ++step) {
    const Trees batch = next_batch(sampler);
    add(batch);
    for (const Tree* tree : batch) {
      left.erase(tree);
    }
  }
  add({left.begin(), left.end()});
  return packs;
}

void Trainer::score_reference() {
  const ReferenceOptions options = {
      .model =
          recipe().reference_model.empty() ? recipe().model_name_or_path : recipe().reference_model,
      .storage = storage_,
      .factors = parse_dtype(recipe().compute),
      .cache = recipe().reference_cache.empty() ? default_cache_folder() : recipe().reference_cache,
      .bar = !recipe().disable_tqdm};
  add_reference_logps(inputs_.train.trees, first_epoch(), options, "train data");
  if (inputs_.evaluation) {
    std::vector<Tree>& trees = inputs_.evaluation->trees;
    add_reference_logps(trees, packs_of(pointers(trees), eval_limits()), options,
                        "evaluation data");
  }
}

void Trainer::prepare() {
  const Checkpoint checkpoint = Checkpoint::open(weights_folder_);
  check_tensors(config_, checkpoint);
  arena_.emplace(Arena::host(plan_.arena));
  if (recipe().paged_moments()) {
    fs::create_directories(recipe().output_dir);
    moments_.emplace(Arena::file(plan_.disk, recipe().output_dir));
  }
  weights_.emplace(config_, storage_, WeightUse::training, *arena_,
                   MomentStorage{recipe().eight_bit_moments(), moments_ ? &*moments_ : nullptr});
  weights_->load(checkpoint, *ops_);
  weights_->zero_moments(*ops_);
  if (resume_) {
    restore();
  }
  model_.emplace(*weights_, *ops_, *arena_, model_options_);

  // Nothing refuses the run any more.
  fs::create_directories(recipe().output_dir);
  if (recipe().overwrite_output_dir && !resume_) {
    remove_run(recipe().output_dir);
  }
  remove_incomplete(recipe().output_dir);
  write_run_record(nullptr);
  rewind_log(recipe().output_dir / "trainer_log.jsonl", state_.step);
}

void Trainer::restore() {
  TrainState saved = read_train_state(*resume_);
  if (saved.data_fingerprint != state_.data_fingerprint) {
    user_error(
        "{}: the checkpoint was trained on other data (or with other options for its tokens): the "
        "run cannot go on from the middle of it. Use the same data, or start anew with --model {}",
        resume_->string(), resume_->string());
  }
  for (const char* name : {"objective", "beta", "gamma", "home_advantage", "lambda", "zscore",
                           "learning_rate", "lr_scheduler_type", "per_device_train_batch_size",
                           "gradient_accumulation_steps", "num_train_epochs", "max_steps",
                           "warmup_steps", "warmup_ratio", "seed", "dtype", "compute", "optim"}) {
    const json now = state_.options.value(name, json());
    const json then = saved.options.value(name, json());
    if (now != then && then != json()) {
      log_warning("{} was {} in the checkpoint and is {} now", name, then.dump(), now.dump());
    }
  }
  saved.options = state_.options;
  state_ = std::move(saved);
  read_optimizer(*resume_, *weights_, *ops_);
  try {
    objective_->restore(state_.objective);
    sampler_.restore(state_.sampler);
  } catch (const UserError& error) {
    user_error("{}: {}", resume_->string(), error.what());
  }
  last_saved_ = state_.step;
  for (const json& entry : state_.log_history) {
    if (entry.contains("eval_loss") && entry.value("step", json()) == state_.step) {
      last_evaluated_ = state_.step;
    }
  }
  log_info("resumed from {} at step {}", resume_->string(), state_.step);
}

// --- the loop
// ---------------------------------------------------------------------------------------------

TrainOutcome Trainer::loop() {
  const InterruptWatch watch;
  progress_.emplace(state_.step, length_.total_steps, !recipe().disable_tqdm);
  while (!length_.is_last(state_.step)) {
    step();
    if (length_.logs_at(state_.step)) {
      log();
    }
    if (inputs_.evaluation && length_.evaluates_at(state_.step)) {
      evaluate();
    }
    const bool stop = watch.interrupted();
    if (stop || length_.saves_at(state_.step)) {
      save_checkpoint();
    }
    if (stop && !length_.is_last(state_.step)) {
      progress_.reset();
      log_warning("interrupted at step {}, which is saved; go on with --resume_from_checkpoint",
                  state_.step);
      return TrainOutcome::interrupted;
    }
  }
  return TrainOutcome::done;
}

void Trainer::step() {
  const auto start = std::chrono::steady_clock::now();
  const Trees batch = next_batch(sampler_);
  weights_->zero_gradients(*ops_);
  BatchRunner runner(*model_, *objective_, recipe().skip_nonfinite);
  const BatchResult result = runner.train(batch, train_limits());
  if (!result.skipped.empty()) {
    progress_->line(fmt::format("step {}: rows {} left out, their scores are not finite",
                                state_.step + 1, fmt::join(result.skipped, ", ")));
  }
  if (state_.step == 0) {
    check_first_loss(result.loss);
  }
  update(result, batch);
  if (result.skipped.size() < batch.size()) {
    objective_->end_step();
  }

  ++state_.step;
  state_.tokens += all_tokens(batch);
  state_.sampler = sampler_.state();
  state_.loss_total += result.loss;
  state_.loss_sum += result.loss;
  ++state_.loss_steps;
  state_.metrics.merge(result.metrics);
  step_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress_->step(std::ssize(batch), all_tokens(batch), fmt::format("loss {:.4f}", result.loss));
}

// Policy and reference are the same model at the first step: a free check of the whole way.
void Trainer::check_first_loss(double loss) const {
  const auto expected = objective_->loss_at_reference();
  if (expected && recipe().reference_model.empty() && std::abs(loss - *expected) > 1e-12) {
    log_warning(
        "the first loss is {}, though the policy is still its own reference and it should be {}: "
        "they differ by {:.1e}",
        loss, *expected, loss - *expected);
  }
}

void Trainer::update(const BatchResult& result, const Trees& batch) {
  state_.grad_norm = gradient_norm(*weights_, *ops_);
  state_.learning_rate =
      recipe().learning_rate * learning_rate_factor(recipe().lr_scheduler_type, state_.step,
                                                    length_.warmup, length_.total_steps);
  if (!std::isfinite(state_.grad_norm)) {
    if (!recipe().skip_nonfinite) {
      user_error(
          "step {}: the gradient is not finite, though the losses are. Its batch has the data's "
          "rows {} (counted from 0). Lower the learning rate, or leave such steps out with "
          "--skip_nonfinite",
          state_.step + 1, rows_of(batch));
    }
    progress_->line(fmt::format("step {}: no update, the gradient is not finite", state_.step + 1));
    return;
  }
  if (result.skipped.size() == batch.size()) {
    return;
  }
  adamw_step(*weights_, *ops_,
             {.beta1 = recipe().adam_beta1,
              .beta2 = recipe().adam_beta2,
              .epsilon = recipe().adam_epsilon,
              .weight_decay = recipe().weight_decay,
              .max_grad_norm = recipe().max_grad_norm},
             state_.step + 1, state_.learning_rate, state_.grad_norm);
}

// --- records
// ---------------------------------------------------------------------------------------------

void Trainer::log() {
  json entry = state_.metrics.means();
  entry["loss"] = state_.loss_sum / static_cast<double>(state_.loss_steps);
  entry["grad_norm"] = state_.grad_norm;
  entry["learning_rate"] = state_.learning_rate;
  entry["num_tokens"] = state_.tokens;
  state_.metrics.clear();
  state_.loss_sum = 0;
  state_.loss_steps = 0;
  record(std::move(entry), arithmetic());
  times_ = {};
  step_seconds_ = 0;
}

// "345 GFLOP/s, 76% of its matrix products'": useful operations of the steps since the last log.
std::string Trainer::arithmetic() const {
  const double rate = times_.total().operations / std::max(1e-9, step_seconds_);
  const double products = times_.product_rate();
  return fmt::format("; {:.0f} GFLOP/s, {:.0f}% of its matrix products'", rate / 1e9,
                     products > 0 ? 100 * rate / products : 0);
}

void Trainer::record(json entry, const std::string& arithmetic) {
  entry["epoch"] = length_.epoch(state_.step);
  entry["step"] = state_.step;
  state_.log_history.push_back(entry);
  append_line(recipe().output_dir / "trainer_log.jsonl", log_line(state_, length_, *progress_));
  progress_->line(fmt::format("step {}/{}  {}  ({}{})", state_.step, length_.total_steps,
                              readable_entry(entry), progress_->speed(), arithmetic));
}

void Trainer::evaluate() {
  const StepTimes training_times = times_;
  const auto start = std::chrono::steady_clock::now();
  BatchRunner runner(*model_, *objective_, recipe().skip_nonfinite);
  const Trees trees = pointers(inputs_.evaluation->trees);
  const BatchResult result = runner.evaluate(trees, eval_limits());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto samples = static_cast<double>(trees.size());
  const auto batches =
      std::ceil(samples / static_cast<double>(recipe().per_device_eval_batch_size));
  json entry = json::object();
  for (const auto& [name, value] : result.metrics.means()) {
    entry["eval_" + name] = value;
  }
  entry["eval_loss"] = result.loss;
  json results = entry;
  results["eval_runtime"] = seconds;
  results["eval_samples_per_second"] = samples / seconds;
  results["eval_steps_per_second"] = batches / seconds;
  results["eval_samples"] = trees.size();
  results["epoch"] = length_.epoch(state_.step);
  record(std::move(entry));
  write_results(recipe().output_dir, "eval", results);
  last_evaluated_ = state_.step;
  times_ = training_times;
}

void Trainer::write_run_record(const json& result) const {
  const json content = {
      {"lmpo_version", inputs_.version},
      {"options", json(inputs_.options)},
      {"train_data", dataset_record(inputs_.train)},
      {"eval_data", inputs_.evaluation ? dataset_record(*inputs_.evaluation) : json()},
      {"data_fingerprint", state_.data_fingerprint},
      {"steps", length_.total_steps},
      {"threads", threads()},
      {"memory", {{"arena", plan_.arena}, {"fixed", plan_.fixed}, {"planned", plan_.total()}}},
      {"result", result}};
  write_file_atomically(recipe().output_dir / "lmpo_run.json", content.dump(2) + "\n");
}

// --- checkpoints
// ---------------------------------------------------------------------------------------------

void Trainer::write_model(const fs::path& folder) {
  write_model_folder(folder, *weights_, *ops_, recipe().model_name_or_path,
                     static_cast<std::int64_t>(recipe().max_shard_size.count));
  if (!recipe().chat_template_path.empty()) {
    write_file_atomically(folder / "chat_template.jinja", read_file(recipe().chat_template_path));
  }
  write_file_atomically(folder / "trainer_state.json",
                        trainer_state(state_, recipe(), length_, weights_->count()).dump(2) + "\n");
}

void Trainer::save_checkpoint() {
  if (last_saved_ == state_.step) {
    return;
  }
  state_.objective = objective_->state();
  AtomicFolder folder(recipe().output_dir / fmt::format("checkpoint-{}", state_.step));
  write_model(folder.path());
  write_optimizer(folder.path(), *weights_, *ops_);
  write_file_atomically(folder.path() / "lmpo_state.json", state_.to_json().dump(2) + "\n");
  folder.commit();
  last_saved_ = state_.step;
  rotate_checkpoints();
}

void Trainer::rotate_checkpoints() {
  auto checkpoints = list_checkpoints(recipe().output_dir);
  const auto limit = recipe().save_total_limit.value_or(std::ssize(checkpoints));
  while (std::ssize(checkpoints) > limit) {
    fs::remove_all(checkpoints.front().second);
    checkpoints.erase(checkpoints.begin());
  }
}

void Trainer::finish() {
  if (inputs_.evaluation && last_evaluated_ != state_.step) {
    evaluate();
  }
  const double seconds = progress_->elapsed_seconds();
  const auto steps = static_cast<double>(state_.step);
  json results = {{"train_loss", state_.loss_total / std::max(1.0, steps)},
                  {"train_runtime", seconds},
                  {"train_samples_per_second", progress_->examples_per_second()},
                  {"train_tokens_per_second", progress_->tokens_per_second()},
                  {"train_steps_per_second", steps / std::max(1e-9, seconds)},
                  {"epoch", length_.epoch(state_.step)}};
  json entry = results;
  entry["step"] = state_.step;
  state_.log_history.push_back(entry);
  write_model(recipe().output_dir);
  results["train_samples"] = inputs_.train.trees.size();
  results["memory_planned"] = plan_.total();
  results["memory_peak"] = peak_resident_memory();
  write_results(recipe().output_dir, "train", results);
  write_run_record(results);
  progress_.reset();
  log_info("done: {} steps in {}; the model is in {}", state_.step, readable_time(seconds),
           recipe().output_dir.string());
  log_info("memory: {} planned, {} at the peak", readable_bytes(plan_.total()),
           readable_bytes(peak_resident_memory()));
}

}  // namespace

TrainOutcome run_training(TrainInputs inputs) {
  const auto objective = make_objective(inputs.recipe.objective, inputs.recipe.objective_options);
  const auto max_length = inputs.recipe.data.max_length;
  prepare_examples(inputs.train.trees, *objective, max_length);
  if (inputs.evaluation) {
    prepare_examples(inputs.evaluation->trees, *objective, max_length);
  }
  return Trainer(std::move(inputs)).run();
}

}  // namespace lmpo

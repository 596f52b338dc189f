#include "train/trainer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/file_lock.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "ops/timed_ops.h"
#include "train/eval_samples.h"
#include "train/examples.h"
#include "train/interrupt.h"
#include "train/optimizer.h"
#include "train/records.h"
#include "train/reference.h"
#include "train/run_log.h"
#include "train/run_plan.h"
#include "train/schedule.h"

namespace lmpo {
namespace {

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

// What the moving line says of a step.
std::vector<std::string> step_notes(const BatchResult& result) {
  std::vector<std::string> notes = {fmt::format("loss {:.4f}", result.loss)};
  const json means = result.metrics.means();
  if (const auto accuracy = means.find("rewards/accuracies"); accuracy != means.end()) {
    notes.push_back(fmt::format("acc {:.2f}", accuracy->get<double>()));
  }
  return notes;
}

class Trainer {
 public:
  explicit Trainer(TrainInputs inputs);
  TrainOutcome run();

 private:
  void score_reference();
  void prepare();
  void restore();
  TrainOutcome loop();
  void step();
  void check_first_loss(double loss) const;
  void update(const BatchResult& result, const Trees& batch);
  void log();
  void evaluate();
  void generate_samples();
  std::string arithmetic() const;
  // `arithmetic` ends the line a person sees.
  void record(json entry, const std::string& arithmetic = "");
  void save_checkpoint();
  void write_model(const fs::path& folder);
  void rotate_checkpoints();
  void finish();
  void write_run_record(const json& result, const char* ending,
                        std::string_view message = "") const;
  void record_failure(std::string_view message) const;
  const TrainRecipe& recipe() const { return inputs_.recipe; }

  TrainInputs inputs_;
  std::optional<fs::path> resume_;  // the checkpoint to go on from
  fs::path weights_folder_;
  ModelConfig config_;
  RunLength length_;
  std::unique_ptr<Objective> objective_;
  std::shared_ptr<Device> device_;
  std::unique_ptr<Ops> device_ops_;
  StepTimes times_;  // of the steps since the last log
  double step_seconds_ = 0;
  std::unique_ptr<Ops> ops_;  // the device's, timed
  EvalSamples samples_;
  RunPlan plan_;
  Sampler sampler_;
  TrainState state_;
  std::int64_t last_saved_ = -1;
  std::int64_t last_evaluated_ = -1;

  // Made by prepare.
  std::optional<FileLock> folder_lock_;  // says to others that the run is going
  std::optional<Arena> arena_;
  std::optional<Arena> paged_;  // for what the optimizer alone needs
  std::optional<Weights> weights_;
  std::optional<Llama> model_;
  std::optional<RunLog> run_log_;
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
      length_(recipe(), std::ssize(inputs_.train.trees)),
      objective_(make_objective(recipe().objective, recipe().objective_options)),
      device_(open_device(recipe().device)),
      device_ops_(device_->make_ops(compute_type(*device_, recipe().compute))),
      ops_(make_timed_ops(*device_ops_, times_)),
      samples_(inputs_, config_),
      plan_(inputs_, config_, length_, *device_, *ops_, samples_.size()),
      sampler_(std::ssize(inputs_.train.trees), sampler_options(recipe())) {
  state_.data_fingerprint = data_fingerprint(inputs_.train.trees);
  state_.options = option_values(inputs_.options);
}

TrainOutcome Trainer::run() {
  plan_.show();
  if (recipe().dry_run) {
    return TrainOutcome::planned;
  }
  require_memory(plan_.memory(), *device_, static_cast<std::size_t>(recipe().max_memory.count));
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
  } catch (const UserError& error) {
    record_failure(error.what());
    throw;
  } catch (const MachineError& error) {
    record_failure(error.what());
    if (last_saved_ < 0) {
      throw;
    }
    machine_error("{}\nStep {} is saved: go on from it with --resume_from_checkpoint", error.what(),
                  last_saved_);
  }
}

// --- before the first step
// ---------------------------------------------------------------------------------------------

void Trainer::score_reference() {
  const ReferenceOptions options = {
      .model =
          recipe().reference_model.empty() ? recipe().model_name_or_path : recipe().reference_model,
      .storage = plan_.storage().weights,
      .device = device_,
      .compute = compute_type(*device_, recipe().compute),
      .cache = recipe().reference_cache.empty() ? default_cache_folder() : recipe().reference_cache,
      .bar = !recipe().disable_tqdm};
  add_reference_logps(inputs_.train.trees, plan_.first_epoch(), options, "train data");
  if (inputs_.evaluation) {
    std::vector<Tree>& trees = inputs_.evaluation->trees;
    add_reference_logps(trees, packs_of(pointers(trees), plan_.eval_limits()), options,
                        "evaluation data");
  }
}

void Trainer::prepare() {
  const Checkpoint checkpoint = Checkpoint::open(weights_folder_);
  check_tensors(config_, checkpoint);
  const StoragePlan& storage = plan_.storage();
  arena_.emplace(device_->make_arena(plan_.memory().arena));
  if (const std::size_t paged = plan_.memory().disk + plan_.memory().host; paged > 0) {
    fs::create_directories(recipe().output_dir);
    paged_.emplace(device_->make_paged_arena(paged, recipe().output_dir));
  }
  const auto at = [&](Place place) { return place == Place::arena ? nullptr : &*paged_; };
  weights_.emplace(
      config_, storage.weights, WeightUse::training, *arena_,
      OptimizerStorage{storage.eight_bit_moments, at(storage.moments), at(storage.master)});
  weights_->load(checkpoint, *ops_);
  weights_->zero_moments(*ops_);
  if (resume_) {
    restore();
  }
  model_.emplace(*weights_, *ops_, *arena_, plan_.model_options());

  // Nothing refuses the run any more, but another one in its folder.
  fs::create_directories(recipe().output_dir);
  folder_lock_.emplace(recipe().output_dir);
  if (recipe().overwrite_output_dir && !resume_) {
    remove_run(recipe().output_dir);
  }
  remove_incomplete(recipe().output_dir);
  write_run_record(nullptr, "");
  run_log_.emplace(recipe(), resume_.has_value(), state_.step);
  run_log_->start(state_.options, config_.original);
}

void Trainer::restore() {
  TrainState saved = read_train_state(*resume_);
  if (saved.data_fingerprint != state_.data_fingerprint) {
    user_error(
        "{}: the checkpoint was trained on other data (or with other options for its tokens): the "
        "run cannot go on from the middle of it. Use the same data, or start anew with --model {}",
        resume_->string(), resume_->string());
  }
  for (const char* name :
       {"objective", "beta", "gamma", "home_advantage", "lambda", "zscore", "learning_rate",
        "lr_scheduler_type", "per_device_train_batch_size", "gradient_accumulation_steps",
        "num_train_epochs", "max_steps", "warmup_steps", "warmup_ratio", "seed", "dtype", "compute",
        "optim", "device"}) {
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
  progress_.emplace(
      ProgressOptions{.what = "training",
                      .unit = objective_->form() == ExampleForm::pair ? "pairs" : "examples",
                      .begin = state_.step,
                      .total = length_.total_steps,
                      .bar = !recipe().disable_tqdm});
  while (!length_.is_last(state_.step)) {
    step();
    if (length_.logs_at(state_.step)) {
      log();
    }
    const bool due = inputs_.evaluation && length_.evaluates_at(state_.step);
    if (take_wish(Wish::evaluate) || due) {
      evaluate();
    }
    const bool stop = watch.interrupted();
    const bool wished = take_wish(Wish::save);
    if (stop || wished || length_.saves_at(state_.step)) {
      save_checkpoint();
    }
    if (wished) {
      progress_->line(fmt::format("step {} is saved, as SIGUSR1 asked for", state_.step));
    }
    if (stop && !length_.is_last(state_.step)) {
      progress_.reset();
      write_run_record(nullptr, "interrupted");
      log_warning("interrupted at step {}, which is saved; go on with --resume_from_checkpoint",
                  state_.step);
      return TrainOutcome::interrupted;
    }
  }
  return TrainOutcome::done;
}

void Trainer::step() {
  const auto start = std::chrono::steady_clock::now();
  const Trees batch = next_batch(sampler_, inputs_.train);
  weights_->zero_gradients(*ops_);
  BatchRunner runner(*model_, *objective_, recipe().skip_nonfinite);
  const BatchResult result = runner.train(batch, plan_.train_limits());
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
  progress_->step(std::ssize(batch), all_tokens(batch), step_notes(result));
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
// Of a GPU, whose products are not timed one by one, the first number alone.
std::string Trainer::arithmetic() const {
  const double rate = times_.total().operations / std::max(1e-9, step_seconds_);
  if (ops_->is_asynchronous()) {
    return fmt::format("; {:.0f} TFLOP/s", rate / 1e12);
  }
  const double products = times_.product_rate();
  return fmt::format("; {:.0f} GFLOP/s, {:.0f}% of its matrix products'", rate / 1e9,
                     products > 0 ? 100 * rate / products : 0);
}

void Trainer::record(json entry, const std::string& arithmetic) {
  entry["epoch"] = length_.epoch(state_.step);
  entry["step"] = state_.step;
  state_.log_history.push_back(entry);
  run_log_->entry(entry, log_line(state_, length_, *progress_));
  progress_->line(fmt::format("step {}/{}  {}  ({}{})", state_.step, length_.total_steps,
                              readable_entry(entry), progress_->speed(), arithmetic));
}

void Trainer::evaluate() {
  if (!inputs_.evaluation) {
    progress_->line("there is no evaluation data");
    return;
  }
  const StepTimes training_times = times_;
  const auto start = std::chrono::steady_clock::now();
  BatchRunner runner(*model_, *objective_, recipe().skip_nonfinite);
  const Trees trees = pointers(inputs_.evaluation->trees);
  Progress progress({.what = "evaluation",
                     .unit = "examples",
                     .total = std::ssize(packs_of(trees, plan_.eval_limits())),
                     .bar = !recipe().disable_tqdm,
                     .delay = kBarDelay});
  const BatchResult result = runner.evaluate(
      trees, plan_.eval_limits(),
      [&](std::int64_t count, std::int64_t tokens) { progress.step(count, tokens); });
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
  run_log_->attempt("eval_results.json",
                    [&] { write_results(recipe().output_dir, "eval", results); });
  generate_samples();
  last_evaluated_ = state_.step;
  times_ = training_times;
}

void Trainer::generate_samples() {
  if (samples_.empty()) {
    return;
  }
  try {
    const auto samples = samples_.generate(*weights_, *ops_, *arena_);
    run_log_->samples(samples, state_.step);
    for (const EvalSample& sample : samples) {
      progress_->line(readable_sample(sample, progress_->columns()));
    }
  } catch (const UserError& error) {
    log_warning("no sample answers at step {}: {}", state_.step, error.what());
  }
}

// `ending`: empty while the run goes on.
void Trainer::write_run_record(const json& result, const char* ending,
                               std::string_view message) const {
  json record = run_record(inputs_, state_, length_, plan_.memory());
  record["result"] = result;
  record["end"] = *ending == '\0' ? json() : run_ending(ending, state_.step, message);
  write_file_atomically(recipe().output_dir / "lmpo_run.json", record.dump(2) + "\n");
}

// What ended the run matters more than a record of it that cannot be written.
void Trainer::record_failure(std::string_view message) const {
  try {
    write_run_record(nullptr, "failed", message);
  } catch (const std::exception& error) {
    log_warning("how the run ended is not recorded: {}", error.what());
  }
}

// --- checkpoints
// ---------------------------------------------------------------------------------------------

void Trainer::write_model(const fs::path& folder) {
  write_model_folder(folder, *weights_, *ops_, recipe().model_name_or_path,
                     static_cast<std::int64_t>(recipe().max_shard_size.count));
  if (!recipe().chat_template_path.empty()) {
    write_file_atomically(folder / "chat_template.jinja", recipe().chat_template());
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
  run_log_->scalars(entry);
  write_model(recipe().output_dir);
  results["train_samples"] = inputs_.train.trees.size();
  results["memory_planned"] = plan_.memory().total();
  results["memory_peak"] = device_->peak_memory();
  write_results(recipe().output_dir, "train", results);
  write_run_record(results, "done");
  progress_.reset();
  log_info("done: {} steps in {}; the model is in {}", state_.step, readable_time(seconds),
           recipe().output_dir.string());
  log_info("memory: {} planned, {} at the peak", readable_bytes(plan_.memory().total()),
           readable_bytes(device_->peak_memory()));
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

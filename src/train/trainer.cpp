#include "train/trainer.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/examples.h"
#include "train/interrupt.h"
#include "train/records.h"
#include "train/run_recorder.h"
#include "train/run_saver.h"
#include "train/run_setup.h"
#include "train/step_runner.h"

namespace lmpo {
namespace {

// Thrown to end an evaluation when a signal to stop has come.
struct EvaluationStopped {};

class Trainer {
 public:
  explicit Trainer(TrainInputs inputs);
  TrainOutcome run();

 private:
  void restore();
  void open_folder();
  TrainOutcome train();
  void loop();
  void step();
  bool has_ended() const;
  bool is_evaluated() const;
  void evaluate();
  void evaluate_or_save();
  BatchResult score_evaluation();
  void generate_samples();
  TrainOutcome stop();
  TrainOutcome finish();
  void take_best();
  void record_failure(std::string_view message) const;
  const TrainRecipe& recipe() const { return setup_.recipe(); }

  RunSetup setup_;
  TrainState state_;
  RunIdentity run_;
  StepRunner steps_;
  RunSaver saver_;
  std::optional<FileLock> folder_lock_;  // keeps other runs out of the output folder
  std::optional<RunRecorder> recorder_;
};

Trainer::Trainer(TrainInputs inputs)
    : setup_(std::move(inputs)), steps_(setup_, state_), saver_(setup_, state_) {
  state_.data_fingerprint = data_fingerprint(setup_.inputs.train.trees);
  state_.options = option_values(setup_.inputs.options);
}

TrainOutcome Trainer::run() {
  setup_.plan.log();
  require_memory(setup_.plan.memory(), *setup_.device,
                 static_cast<std::size_t>(recipe().max_memory.count));
  if (setup_.resume) {
    verify_checkpoint(*setup_.resume);
  }
  setup_.score_reference();
  setup_.load_model();
  if (setup_.resume) {
    restore();
  }
  set_stop(StopMeans::save_and_end);
  open_folder();
  try {
    return train();
  } catch (const std::exception& error) {
    record_failure(error.what());
    recorder_.reset();
    if (saver_.last_saved() > 0) {
      log_info("checkpoint-{} is saved. Resume with: lmpo train ... --resume", saver_.last_saved());
    }
    throw;
  }
}

void Trainer::restore() {
  const fs::path& folder = *setup_.resume;
  TrainState saved = read_train_state(folder);
  if (saved.data_fingerprint != state_.data_fingerprint) {
    user_error(
        "{}: cannot resume: the checkpoint was trained on other data, or with other options that "
        "change its tokens. Use the same data, or start a new run with --model {}",
        folder.string(), folder.string());
  }
  for (const std::string& name : options_that_change_result()) {
    const json now = state_.options.value(name, json());
    const json then = saved.options.value(name, json());
    if (now != then && then != json()) {
      log_warning("{} was {} in the checkpoint and is {} now", name, then.dump(), now.dump());
    }
  }
  saved.options = state_.options;
  state_ = std::move(saved);
  read_optimizer(folder, *setup_.weights, *setup_.ops);
  try {
    steps_.restore();
  } catch (const UserError& error) {
    user_error("{}: {}", folder.string(), error.what());
  }
  if (is_in(folder, recipe().output_dir)) {
    saver_.is_saved();
  }
  log_info("resumed from {} at step {}", folder.string(), state_.step);
}

// The first function that writes. Only another run in the same folder can still refuse this one.
void Trainer::open_folder() {
  const fs::path& folder = recipe().output_dir;
  fs::create_directories(folder);
  folder_lock_.emplace(folder);
  if (setup_.resume) {
    run_ = resumed_run(folder, *setup_.resume, state_);
    state_.run = run_.number;
  } else if (recipe().overwrite_output_dir) {
    remove_run(folder);
  }
  remove_incomplete(folder);
  write_run_record(setup_, state_, run_, nullptr, "");
}

TrainOutcome Trainer::train() {
  if (setup_.resume) {
    set_aside_others(recipe().output_dir, run_);
  }
  recorder_.emplace(setup_, state_);
  loop();
  return has_ended() ? finish() : stop();
}

bool Trainer::has_ended() const {
  return setup_.length.is_last(state_.step) || stops_early(state_.best, recipe());
}

// Whether the current step's evaluation is in the history. It is not if it failed or was stopped: a
// resumed run then does it.
bool Trainer::is_evaluated() const {
  return std::ranges::any_of(state_.log_history, [&](const json& entry) {
    return entry.contains("eval_loss") && entry.value("step", json()) == state_.step;
  });
}

void Trainer::loop() {
  const RunLength& length = setup_.length;
  const bool first_due = state_.step == 0 ? recipe().eval_on_start
                                          : setup_.inputs.evaluation &&
                                                length.evaluates_at(state_.step) && !has_ended();
  if (first_due && !is_evaluated()) {
    evaluate_or_save();
  }
  while (!has_ended() && !is_wished(Wish::stop)) {
    step();
  }
}

// One step, then the evaluation and checkpoint that are due. Those of the last step are left to
// finish().
void Trainer::step() {
  const RunLength& length = setup_.length;
  steps_.step(recorder_->progress());
  if (length.logs_at(state_.step)) {
    recorder_->steps(steps_.seconds());
    steps_.forget_times();
  }
  if (length.is_last(state_.step)) {
    return;
  }
  const bool due = setup_.inputs.evaluation && length.evaluates_at(state_.step);
  if (take_wish(Wish::evaluate) || due) {
    evaluate_or_save();
  }
  const bool wished = take_wish(Wish::save);
  if (wished || length.saves_at(state_.step)) {
    saver_.save_checkpoint();
  }
  if (wished) {
    recorder_->progress().line(fmt::format("step {}: checkpoint saved (SIGUSR1)", state_.step));
  }
}

// Saves what was trained before an evaluation's error ends the run.
void Trainer::evaluate_or_save() {
  try {
    evaluate();
  } catch (...) {
    if (state_.step > 0) {
      saver_.save_checkpoint();
    }
    throw;
  }
}

void Trainer::evaluate() {
  if (!setup_.inputs.evaluation) {
    recorder_->progress().line("no evaluation: there is no evaluation data");
    return;
  }
  const StepTimes training_times = setup_.times;
  const auto start = std::chrono::steady_clock::now();
  try {
    const BatchResult result = score_evaluation();
    recorder_->evaluation(
        result, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    const RunLength& length = setup_.length;
    const bool saved = length.evaluates_at(state_.step) || length.is_last(state_.step);
    if (recipe().compares_evaluations() && state_.step > 0 && saved) {
      judge(state_.best, state_.log_history.back(), state_.step, recipe());
    }
    generate_samples();
  } catch (const EvaluationStopped&) {
    recorder_->progress().line(fmt::format("step {}: evaluation stopped", state_.step));
  }
  setup_.times = training_times;
}

BatchResult Trainer::score_evaluation() {
  BatchRunner runner(*setup_.model, *setup_.objective, recipe().skip_nonfinite);
  const Trees trees = pointers(setup_.inputs.evaluation->trees);
  const PackLimits limits = setup_.plan.eval_limits();
  Progress progress({.what = "evaluation",
                     .unit = "examples",
                     .total = std::ssize(packs_of(trees, limits)),
                     .bar = !recipe().disable_tqdm,
                     .delay = kBarDelay});
  return runner.evaluate(trees, limits, [&](std::int64_t count, std::int64_t tokens) {
    if (is_wished(Wish::stop)) {
      throw EvaluationStopped();
    }
    progress.step(count, tokens);
  });
}

void Trainer::generate_samples() {
  if (setup_.samples.empty() || is_wished(Wish::stop)) {
    return;
  }
  try {
    recorder_->samples(setup_.samples.generate(*setup_.weights, *setup_.ops, *setup_.arena,
                                               [] { return is_wished(Wish::stop); }));
  } catch (const UserError& error) {
    log_warning("no sample answers at step {}: {}", state_.step, error.what());
  }
}

// Ends the run for a signal that came before the last step.
TrainOutcome Trainer::stop() {
  if (state_.step > 0) {
    saver_.save_checkpoint();
  }
  recorder_.reset();
  write_run_record(setup_, state_, run_, nullptr, "interrupted");
  if (state_.step == 0) {
    log_warning("stopped before the first step: there is nothing to save");
  } else {
    log_warning("stopped at step {}; checkpoint saved. Resume with: lmpo train ... --resume",
                state_.step);
  }
  return TrainOutcome::interrupted;
}

// Writes the trained model before anything else can fail or be stopped.
TrainOutcome Trainer::finish() {
  set_stop(StopMeans::finish_and_end);
  saver_.write_model();
  const bool due = setup_.inputs.evaluation && !is_evaluated();
  if (due && !is_wished(Wish::stop)) {
    evaluate_or_save();
  }
  if (setup_.length.save_steps > 0) {
    saver_.save_checkpoint();
  }
  const bool unevaluated = due && !is_evaluated();
  take_best();
  const json results = recorder_->finish();
  saver_.write_trainer_state(recipe().output_dir);
  recorder_->log().attempt("lmpo_run.json", [&] {
    write_run_record(setup_, state_, run_, results, unevaluated ? "interrupted" : "done");
  });
  const auto seconds = results.at("train_runtime").get<double>();
  recorder_.reset();
  if (unevaluated) {
    log_warning("stopped after the last step, during its evaluation; the model is in {}",
                recipe().output_dir.string());
    return TrainOutcome::interrupted;
  }
  log_info("done: {} in {}; the model is in {}", counted(state_.step, "step"),
           readable_time(seconds), recipe().output_dir.string());
  log_info("memory: {} planned, {} at the peak", readable_bytes(setup_.plan.memory().total()),
           readable_bytes(setup_.device->peak_memory()));
  return TrainOutcome::done;
}

void Trainer::take_best() {
  const BestSoFar& best = state_.best;
  if (stops_early(best, recipe())) {
    recorder_->progress().line(
        fmt::format("stopped early at step {}: no better {} in {} evaluations", state_.step,
                    recipe().best_metric(), best.worse));
  }
  if (!recipe().load_best_model_at_end || best.step == 0 || best.step == state_.step) {
    return;
  }
  if (saver_.load_best()) {
    saver_.write_model();
    recorder_->results_of(best.step);
    recorder_->progress().line(
        fmt::format("the model is that of step {}, which has the best {}: {:.4g}", best.step,
                    recipe().best_metric(), *best.metric));
  }
}

// An error in writing the record must not hide the error that ended the run.
void Trainer::record_failure(std::string_view message) const {
  try {
    write_run_record(setup_, state_, run_, nullptr, "failed", message);
  } catch (const std::exception& error) {
    log_warning("cannot record how the run ended: {}", error.what());
  }
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

#include "train/trainer.h"

#include <chrono>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/examples.h"
#include "train/interrupt.h"
#include "train/records.h"
#include "train/run_recorder.h"
#include "train/run_setup.h"
#include "train/step_runner.h"

namespace lmpo {
namespace {

class Trainer {
 public:
  explicit Trainer(TrainInputs inputs);
  TrainOutcome run();

 private:
  void restore();
  void open_folder();
  TrainOutcome loop();
  void evaluate();
  void generate_samples();
  void save_checkpoint();
  void write_model(const fs::path& folder);
  void rotate_checkpoints();
  void finish();
  void record_failure(std::string_view message) const;
  const TrainRecipe& recipe() const { return setup_.recipe(); }

  RunSetup setup_;
  TrainState state_;
  StepRunner steps_;
  std::optional<FileLock> folder_lock_;  // says to others that the run is going
  std::optional<RunRecorder> recorder_;
  std::int64_t last_saved_ = -1;
  std::int64_t last_evaluated_ = -1;
};

Trainer::Trainer(TrainInputs inputs) : setup_(std::move(inputs)), steps_(setup_, state_) {
  state_.data_fingerprint = data_fingerprint(setup_.inputs.train.trees);
  state_.options = option_values(setup_.inputs.options);
}

TrainOutcome Trainer::run() {
  setup_.plan.show();
  if (recipe().dry_run) {
    return TrainOutcome::planned;
  }
  require_memory(setup_.plan.memory(), *setup_.device,
                 static_cast<std::size_t>(recipe().max_memory.count));
  setup_.score_reference();
  setup_.load_model();
  if (setup_.resume) {
    restore();
  }
  open_folder();
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

void Trainer::restore() {
  const fs::path& folder = *setup_.resume;
  TrainState saved = read_train_state(folder);
  if (saved.data_fingerprint != state_.data_fingerprint) {
    user_error(
        "{}: the checkpoint was trained on other data (or with other options for its tokens): the "
        "run cannot go on from the middle of it. Use the same data, or start anew with --model {}",
        folder.string(), folder.string());
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
  read_optimizer(folder, *setup_.weights, *setup_.ops);
  try {
    steps_.restore();
  } catch (const UserError& error) {
    user_error("{}: {}", folder.string(), error.what());
  }
  last_saved_ = state_.step;
  for (const json& entry : state_.log_history) {
    if (entry.contains("eval_loss") && entry.value("step", json()) == state_.step) {
      last_evaluated_ = state_.step;
    }
  }
  log_info("resumed from {} at step {}", folder.string(), state_.step);
}

// Nothing refuses the run any more, but another one in its folder.
void Trainer::open_folder() {
  fs::create_directories(recipe().output_dir);
  folder_lock_.emplace(recipe().output_dir);
  if (recipe().overwrite_output_dir && !setup_.resume) {
    remove_run(recipe().output_dir);
  }
  remove_incomplete(recipe().output_dir);
  write_run_record(setup_, state_, nullptr, "");
}

TrainOutcome Trainer::loop() {
  const InterruptWatch watch;
  recorder_.emplace(setup_, state_);
  Progress& progress = recorder_->progress();
  const RunLength& length = setup_.length;
  while (!length.is_last(state_.step)) {
    steps_.step(progress);
    if (length.logs_at(state_.step)) {
      recorder_->steps(steps_.seconds());
      steps_.forget_times();
    }
    const bool due = setup_.inputs.evaluation && length.evaluates_at(state_.step);
    if (take_wish(Wish::evaluate) || due) {
      evaluate();
    }
    const bool stop = watch.interrupted();
    const bool wished = take_wish(Wish::save);
    if (stop || wished || length.saves_at(state_.step)) {
      save_checkpoint();
    }
    if (wished) {
      progress.line(fmt::format("step {} is saved, as SIGUSR1 asked for", state_.step));
    }
    if (stop && !length.is_last(state_.step)) {
      recorder_.reset();
      write_run_record(setup_, state_, nullptr, "interrupted");
      log_warning("interrupted at step {}, which is saved; go on with --resume_from_checkpoint",
                  state_.step);
      return TrainOutcome::interrupted;
    }
  }
  return TrainOutcome::done;
}

void Trainer::evaluate() {
  if (!setup_.inputs.evaluation) {
    recorder_->progress().line("there is no evaluation data");
    return;
  }
  const StepTimes training_times = setup_.times;
  const auto start = std::chrono::steady_clock::now();
  BatchRunner runner(*setup_.model, *setup_.objective, recipe().skip_nonfinite);
  const Trees trees = pointers(setup_.inputs.evaluation->trees);
  const PackLimits limits = setup_.plan.eval_limits();
  Progress progress({.what = "evaluation",
                     .unit = "examples",
                     .total = std::ssize(packs_of(trees, limits)),
                     .bar = !recipe().disable_tqdm,
                     .delay = kBarDelay});
  const BatchResult result = runner.evaluate(
      trees, limits,
      [&](std::int64_t count, std::int64_t tokens) { progress.step(count, tokens); });
  recorder_->evaluation(
      result, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  generate_samples();
  last_evaluated_ = state_.step;
  setup_.times = training_times;
}

void Trainer::generate_samples() {
  if (setup_.samples.empty()) {
    return;
  }
  try {
    recorder_->samples(setup_.samples.generate(*setup_.weights, *setup_.ops, *setup_.arena));
  } catch (const UserError& error) {
    log_warning("no sample answers at step {}: {}", state_.step, error.what());
  }
}

void Trainer::write_model(const fs::path& folder) {
  write_model_folder(folder, *setup_.weights, *setup_.ops, recipe().model_name_or_path,
                     static_cast<std::int64_t>(recipe().max_shard_size.count));
  if (!recipe().chat_template_path.empty()) {
    write_file_atomically(folder / "chat_template.jinja", recipe().chat_template());
  }
  const json state = trainer_state(state_, recipe(), setup_.length, setup_.weights->count());
  write_file_atomically(folder / "trainer_state.json", state.dump(2) + "\n");
}

void Trainer::save_checkpoint() {
  if (last_saved_ == state_.step) {
    return;
  }
  state_.objective = setup_.objective->state();
  AtomicFolder folder(recipe().output_dir / fmt::format("checkpoint-{}", state_.step));
  write_model(folder.path());
  write_optimizer(folder.path(), *setup_.weights, *setup_.ops);
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
  if (setup_.inputs.evaluation && last_evaluated_ != state_.step) {
    evaluate();
  }
  json results = recorder_->finish();
  const double seconds = recorder_->progress().elapsed_seconds();
  const fs::path& output = recipe().output_dir;
  write_model(output);
  results["train_samples"] = setup_.inputs.train.trees.size();
  results["memory_planned"] = setup_.plan.memory().total();
  results["memory_peak"] = setup_.device->peak_memory();
  write_results(output, "train", results);
  write_run_record(setup_, state_, results, "done");
  recorder_.reset();
  log_info("done: {} steps in {}; the model is in {}", state_.step, readable_time(seconds),
           output.string());
  log_info("memory: {} planned, {} at the peak", readable_bytes(setup_.plan.memory().total()),
           readable_bytes(setup_.device->peak_memory()));
}

// What ended the run matters more than a record of it that cannot be written.
void Trainer::record_failure(std::string_view message) const {
  try {
    write_run_record(setup_, state_, nullptr, "failed", message);
  } catch (const std::exception& error) {
    log_warning("how the run ended is not recorded: {}", error.what());
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

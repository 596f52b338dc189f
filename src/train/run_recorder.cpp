#include "train/run_recorder.h"

#include <algorithm>
#include <cmath>

#include "train/records.h"

namespace lmpo {

RunRecorder::RunRecorder(const RunSetup& setup, TrainState& state)
    : setup_(setup),
      state_(state),
      log_(setup.recipe(), setup.resume.has_value(), state),
      progress_({.what = "training",
                 .unit = setup.objective->form() == ExampleForm::pair ? "pairs" : "examples",
                 .begin = state.step,
                 .total = setup.length.total_steps,
                 .bar = !setup.recipe().disable_tqdm}) {
  log_.start(state.options, setup.config.original);
}

void RunRecorder::steps(double step_seconds) {
  json entry = state_.metrics.means();
  entry["loss"] = state_.loss_sum / static_cast<double>(state_.loss_steps);
  entry["grad_norm"] = state_.grad_norm;
  entry["learning_rate"] = state_.learning_rate;
  entry["num_tokens"] = state_.tokens;
  state_.metrics.clear();
  state_.loss_sum = 0;
  state_.loss_steps = 0;
  record(std::move(entry), arithmetic(step_seconds));
}

// "345 GFLOP/s (53% of peak matmul)": useful operations of the steps since the last log. On a GPU
// only the first number is known, because its products are not timed one by one.
std::string RunRecorder::arithmetic(double step_seconds) const {
  const double rate = setup_.times.total().operations / std::max(1e-9, step_seconds);
  if (setup_.ops->is_asynchronous()) {
    return fmt::format("{:.0f} TFLOP/s", rate / 1e12);
  }
  const double products = setup_.times.product_rate();
  return fmt::format("{:.0f} GFLOP/s ({:.0f}% of peak matmul)", rate / 1e9,
                     products > 0 ? 100 * rate / products : 0);
}

void RunRecorder::record(json entry, const std::string& arithmetic) {
  entry["epoch"] = setup_.length.epoch(state_.step);
  entry["step"] = state_.step;
  state_.log_history.push_back(entry);
  log_.entry(entry, log_line(state_, setup_.length, progress_));
  std::vector<std::string> fields = {
      fmt::format("step {}/{}", state_.step, setup_.length.total_steps)};
  std::ranges::copy(readable_fields(entry), std::back_inserter(fields));
  std::ranges::copy(progress_.speed(), std::back_inserter(fields));
  if (!arithmetic.empty()) {
    fields.push_back(arithmetic);
  }
  progress_.fields(fields);
}

void RunRecorder::evaluation(const BatchResult& result, double seconds) {
  const auto samples = static_cast<double>(setup_.inputs.evaluation->trees.size());
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
  results["eval_samples"] = setup_.inputs.evaluation->trees.size();
  results["epoch"] = setup_.length.epoch(state_.step);
  record(std::move(entry));
  log_.attempt("eval_results.json", [&] { write_results(recipe().output_dir, "eval", results); });
}

void RunRecorder::samples(const std::vector<EvalSample>& samples) {
  log_.samples(samples, state_.step);
  for (const EvalSample& sample : samples) {
    progress_.line(readable_sample(sample, progress_.columns()));
  }
}

json RunRecorder::finish() {
  const double seconds = progress_.elapsed_seconds();
  const auto steps = static_cast<double>(state_.step);
  json results = {{"train_loss", state_.loss_total / std::max(1.0, steps)},
                  {"train_runtime", seconds},
                  {"train_samples_per_second", progress_.examples_per_second()},
                  {"train_tokens_per_second", progress_.tokens_per_second()},
                  {"train_steps_per_second", steps / std::max(1e-9, seconds)},
                  {"epoch", setup_.length.epoch(state_.step)}};
  json entry = results;
  entry["step"] = state_.step;
  state_.log_history.push_back(entry);
  log_.scalars(entry);
  results["train_samples"] = setup_.inputs.train.trees.size();
  results["memory_planned"] = setup_.plan.memory().total();
  results["memory_peak"] = setup_.device->peak_memory();
  log_.attempt("train_results.json", [&] { write_results(recipe().output_dir, "train", results); });
  return results;
}

void RunRecorder::results_of(std::int64_t step) {
  for (json entry : state_.log_history) {
    if (entry.contains("eval_loss") && entry.at("step") == step) {
      entry.erase("step");
      entry["eval_samples"] = setup_.inputs.evaluation->trees.size();
      log_.attempt("eval_results.json", [&] { write_results(recipe().output_dir, "eval", entry); });
    }
  }
}

void write_run_record(const RunSetup& setup, const TrainState& state, const RunIdentity& run,
                      const json& result, const char* ending, std::string_view message) {
  json record = run_record(setup.inputs, state, setup.length, setup.plan.memory());
  record["run"] = to_json(run);
  record["result"] = result;
  record["end"] = *ending == '\0' ? json() : run_ending(ending, state.step, message);
  write_file_atomically(setup.recipe().output_dir / "lmpo_run.json", record.dump(2) + "\n");
}

}  // namespace lmpo

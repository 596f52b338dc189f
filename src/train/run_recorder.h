// What a run writes down while it runs: the history of its entries in memory, and from it the
// lines that a person sees, the growing logs, results and lmpo_run.json.
#pragma once

#include <optional>
#include <string>

#include "base/progress.h"
#include "train/batch_runner.h"
#include "train/checkpoints.h"
#include "train/run_log.h"
#include "train/run_setup.h"
#include "train/train_state.h"

namespace lmpo {

class RunRecorder {
 public:
  // Both must outlive it. Shows the bar.
  RunRecorder(const RunSetup& setup, TrainState& state);

  Progress& progress() { return progress_; }
  RunLog& log() { return log_; }

  // Since the last call: the means of the steps' metrics and their loss. `step_seconds` is the time
  // of those steps.
  void steps(double step_seconds);
  // An evaluation of all evaluation data, which took so many seconds.
  void evaluation(const BatchResult& result, double seconds);
  void samples(const std::vector<EvalSample>& samples);
  // The trained model is that of an earlier step: its evaluation is the run's result.
  void results_of(std::int64_t step);
  // The end: adds train_loss and speeds to the history, writes and returns the results.
  json finish();

 private:
  const TrainRecipe& recipe() const { return setup_.recipe(); }
  std::string arithmetic(double step_seconds) const;
  // `arithmetic` ends the line a person sees.
  void record(json entry, const std::string& arithmetic = "");

  const RunSetup& setup_;
  TrainState& state_;
  RunLog log_;
  Progress progress_;
};

// Writes lmpo_run.json. `ending`: empty while the run goes on.
void write_run_record(const RunSetup& setup, const TrainState& state, const RunIdentity& run,
                      const json& result, const char* ending, std::string_view message = "");

}  // namespace lmpo

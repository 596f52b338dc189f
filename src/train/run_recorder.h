// The records of a run: the history in memory, and from it the printed lines, the growing logs, the
// results and lmpo_run.json.
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
  // Both must outlive it. Shows the progress bar.
  RunRecorder(const RunSetup& setup, TrainState& state);

  Progress& progress() { return progress_; }
  RunLog& log() { return log_; }

  // Records the mean loss and metrics of the steps since the last call, which took `step_seconds`.
  void steps(double step_seconds);
  // Records an evaluation of all evaluation data.
  void evaluation(const BatchResult& result, double seconds);
  void samples(const std::vector<EvalSample>& samples);
  // Makes the evaluation of an earlier step the run's result, because its model is.
  void results_of(std::int64_t step);
  // Ends the run: adds train_loss and speeds to the history, writes and returns the results.
  json finish();

 private:
  const TrainRecipe& recipe() const { return setup_.recipe(); }
  std::string arithmetic(double step_seconds) const;
  // `arithmetic` is printed at the end of the line.
  void record(json entry, const std::string& arithmetic = "");

  const RunSetup& setup_;
  TrainState& state_;
  RunLog log_;
  Progress progress_;
};

// Writes lmpo_run.json. `ending` is that of run_ending; empty while the run continues.
void write_run_record(const RunSetup& setup, const TrainState& state, const RunIdentity& run,
                      const json& result, const char* ending, std::string_view message = "");

}  // namespace lmpo

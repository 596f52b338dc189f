// The files of a run's folder that grow during the run, so that someone can watch:
// trainer_log.jsonl, eval_samples.jsonl, and TensorBoard's event files.
//
// They matter less than the run. If one cannot be written, because the disk is full, a warning says
// so and the run continues without these lines; trainer_state.json has them all.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "train/eval_samples.h"
#include "train/event_file.h"
#include "train/train_state.h"
#include "train/trainer.h"

namespace lmpo {

inline constexpr const char* kTrainerLog = "trainer_log.jsonl";
inline constexpr const char* kEvalSamples = "eval_samples.jsonl";
inline constexpr const char* kEventFolders = "runs";

class RunLog {
 public:
  // If the run resumes, removes lines that are not in the state's history: they are written again.
  RunLog(const TrainRecipe& recipe, bool resumed, const TrainState& state);

  // Options and model for TensorBoard.
  void start(const json& options, const ordered_json& model_config);
  // An entry of the history, and its line of trainer_log.jsonl.
  void entry(const json& entry, std::string_view line);
  // An entry without such a line: the last one of a run.
  void scalars(const json& entry);
  void samples(const std::vector<EvalSample>& samples, std::int64_t step);

  // Calls `write`. An error becomes a warning; repeated errors of the same `what` are silent until it
  // succeeds again.
  void attempt(const std::string& what, const std::function<void()>& write);

 private:
  void open_events(const TrainRecipe& recipe, bool resumed, const TrainState& state);

  fs::path folder_;
  std::int64_t first_step_;
  std::optional<EventFile> events_;  // none with --report_to none
  std::set<std::string> failing_;
};

}  // namespace lmpo

// A training run as its folder records it (run_folder.h reads it, report_page.h shows it).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace lmpo {

enum class RunState : std::uint8_t {
  going,        // its program is running
  done,         // all steps are done
  interrupted,  // stopped by a signal, and saved
  failed,       // ended by an error that it recorded
  killed        // ended without a record, or silent for long on another machine
};
std::string_view name(RunState state);

// Log entries in order of steps, as columns of equal size. A missing or not finite value is NaN.
struct MetricTable {
  std::vector<double> step;
  std::vector<double> epoch;
  std::vector<double> seconds;  // since the run began, without pauses between starts
  std::map<std::string, std::vector<double>, std::less<>> columns;  // "rewards/margins", ...

  std::size_t size() const { return step.size(); }
  bool has(std::string_view metric) const { return columns.contains(metric); }
  // Null if the metric was never logged.
  const std::vector<double>* find(std::string_view metric) const;
};

// A metric with values that are not finite.
struct NonFinite {
  std::string metric;
  double first_step = 0;
  std::int64_t entries = 0;
};

// A model's answer to a prompt.
struct Answer {
  std::int64_t step = -1;  // of the run; -1: the answer is not a run's
  std::int64_t index = 0;  // of the prompt
  std::string prompt;      // equal for the same messages
  std::string response;
  std::int64_t tokens = 0;
  std::string finish_reason;  // "stop", "length", or empty
};

struct SavedCheckpoint {
  std::int64_t step = 0;
  fs::path folder;
  std::uintmax_t bytes = 0;
  bool resumable = false;  // has the files that resuming needs
};

// The rows of a data set: total, used, truncated, and dropped by reason.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t used = 0;
  std::int64_t truncated = 0;
  std::map<std::string, std::int64_t> dropped;  // by the reason's name
};

struct Run {
  std::string name;  // unique in a report
  fs::path folder;
  RunState state = RunState::killed;
  std::string error;          // of a failed run
  double silent_seconds = 0;  // since its folder was last written to
  double step = 0;            // the last known one
  double total_steps = 0;     // 0: unknown
  double epoch = 0;
  double seconds = 0;           // of training; 0: unknown
  double tokens = 0;            // seen; 0: unknown
  double pairs_per_second = 0;  // examples of any kind; 0: unknown
  double tokens_per_second = 0;
  double memory_planned = 0;  // bytes; 0: unknown
  double memory_peak = 0;
  std::string lmpo_version;
  // By name, as text; and the source of each ("default", "file", "environment", "flag"), if known.
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> option_sources;
  std::optional<RowCounts> train_rows;
  std::optional<RowCounts> eval_rows;
  MetricTable training;
  MetricTable evaluation;  // its columns keep their prefix, "eval_loss"
  std::vector<NonFinite> not_finite;
  std::vector<SavedCheckpoint> checkpoints;  // by step
  std::vector<Answer> answers;               // by step, then by index
  std::vector<std::string> notices;          // problems of the folder's files
};

}  // namespace lmpo

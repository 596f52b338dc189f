// A training run as it is told to people: what its folder holds, read (run_folder.h) and not yet
// drawn (report_page.h).
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
  going,        // a program is at it
  done,         // all steps were made
  interrupted,  // stopped by a signal, and saved
  failed,       // ended by an error, which it recorded
  killed        // ended without a word, or on another machine that has been silent for long
};
std::string_view name(RunState state);

// Log entries in order of steps, as columns. A value that an entry lacks, or that is not finite, is
// NaN.
struct MetricTable {
  std::vector<double> step;
  std::vector<double> epoch;
  std::vector<double> seconds;  // since the run began, without the time between two starts
  std::map<std::string, std::vector<double>, std::less<>> columns;  // "rewards/margins", ...

  std::size_t size() const { return step.size(); }
  bool has(std::string_view metric) const { return columns.contains(metric); }
  // Null where the metric was never logged.
  const std::vector<double>* find(std::string_view metric) const;
};

// A metric that was logged, and not finite.
struct NonFinite {
  std::string metric;
  double first_step = 0;
  std::int64_t entries = 0;
};

// What a model answered to a prompt.
struct Answer {
  std::int64_t step = -1;  // of the run; -1: of a file, not of a run
  std::int64_t index = 0;  // of the prompt
  std::string prompt;      // answers to the same messages have the same
  std::string response;
  std::int64_t tokens = 0;
  std::string finish_reason;  // "stop", "length", or empty
};

struct SavedCheckpoint {
  std::int64_t step = 0;
  fs::path folder;
  std::uintmax_t bytes = 0;
  bool resumable = false;  // has what lmpo needs to go on
};

// How many rows of a file there were, were used, were cut; and why the others were dropped.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t used = 0;
  std::int64_t truncated = 0;
  std::map<std::string, std::int64_t> dropped;  // by the reason's name
};

struct Run {
  std::string name;  // different from all others' in a report
  fs::path folder;
  RunState state = RunState::killed;
  std::string error;          // of a failed run
  double silent_seconds = 0;  // since its folder was last written to
  double step = 0;            // the last one known
  double total_steps = 0;     // 0: unknown
  double epoch = 0;
  double seconds = 0;           // of training; 0: unknown
  double tokens = 0;            // seen; 0: unknown
  double pairs_per_second = 0;  // examples of any kind; 0: unknown
  double tokens_per_second = 0;
  double memory_planned = 0;  // bytes; 0: unknown
  double memory_peak = 0;
  std::string lmpo_version;
  // By name, as text; where each came from ("default", "file", "environment", "flag"), if known.
  std::map<std::string, std::string> options;
  std::map<std::string, std::string> option_sources;
  std::optional<RowCounts> train_rows;
  std::optional<RowCounts> eval_rows;
  MetricTable training;
  MetricTable evaluation;  // its columns keep their prefix, "eval_loss"
  std::vector<NonFinite> not_finite;
  std::vector<SavedCheckpoint> checkpoints;  // by step
  std::vector<Answer> answers;               // by step, then by index
  std::vector<std::string> notices;          // what was wrong with the folder's files
};

}  // namespace lmpo

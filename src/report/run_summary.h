// A run in a few words and numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run.h"

namespace lmpo {

// "done", "going: step 120 of 300", "killed at step 120 of 300".
std::string state_text(const Run& run);

// The last value of a metric that was finite, and the best.
struct MetricEnd {
  double last = 0;
  double last_step = 0;
  double best = 0;  // the least of losses, the most of accuracies and margins
  double best_step = 0;
};
// Of a column of the training table, or (by its prefix "eval_") of the evaluation table. Nothing
// where it was never logged.
std::optional<MetricEnd> metric_end(const Run& run, std::string_view metric);

// Those that people ask for first, of what the run has: losses, accuracies, margins.
std::vector<std::string> main_metrics(const Run& run);

// What a person should know of the run beside its numbers: its error, values that are not finite,
// dropped rows with their reasons, files that could not be read.
std::vector<std::string> notices_of(const Run& run);

// "7 of 48 rows dropped: empty_response 5, too_long 2"; empty where none is.
std::string drops_text(const RowCounts& rows);

// Whether there is a checkpoint to go on from; the newest such, or null.
const SavedCheckpoint* newest_resumable(const Run& run);

// "0.6931", "1.2e-06": four digits.
std::string readable_number(double value);
// "12,345,678".
std::string grouped(double whole);

}  // namespace lmpo

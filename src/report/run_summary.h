// A run in a few words and numbers. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run.h"

namespace lmpo {

// "done", "going: step 120 of 300", "killed at step 120 of 300".
std::string state_text(const Run& run);

// The last finite value of a metric, and the best.
struct MetricEnd {
  double last = 0;
  double last_step = 0;
  double best = 0;  // the least loss, the greatest accuracy or margin
  double best_step = 0;
};
// Of a column of the training table or, with the prefix "eval_", of the evaluation table. Nothing if
// it has no finite value.
std::optional<MetricEnd> metric_end(const Run& run, std::string_view metric);

// The metrics to show first, of those that the run has: losses, accuracies, margins.
std::vector<std::string> main_metrics(const Run& run);

// What to know about the run beside its numbers: its error, values that are not finite, dropped rows
// with their reasons, files that could not be read.
std::vector<std::string> notices_of(const Run& run);

// "7 of 48 rows dropped: empty_response 5, too_long 2"; empty if there are none.
std::string drops_text(const RowCounts& rows);

// The newest checkpoint to resume from, or null.
const SavedCheckpoint* newest_resumable(const Run& run);

// "0.6931", "1.2e-06": four digits.
std::string readable_number(double value);
// "12,345,678".
std::string grouped(double whole);

}  // namespace lmpo

// The curves of a training run, from the log_history of its trainer_state.json.
#pragma once

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "report/chart.h"

namespace lmpo {

// The usual charts (run_charts.h) of the metrics in the history: loss, reward accuracy, rewards and so
// on, training and evaluation in one chart. Entries that are no objects, have no step or only null
// values are skipped.
std::vector<Chart> training_charts(const json& log_history);

// Writes them as one SVG file, whole or not at all.
void write_training_charts(const fs::path& path, const json& log_history);

}  // namespace lmpo

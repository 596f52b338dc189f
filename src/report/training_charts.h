// The curves of a training run, from the log_history of its trainer_state.json.
#pragma once

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "report/chart.h"

namespace lmpo {

// One chart for each thing people look at, of what the history has: loss, reward accuracy, rewards,
// margins, log-probabilities per token and summed, token accuracy, lengths, learning rate, gradient
// norm; training and evaluation in one chart. Entries that are no objects, without a step or with
// null values are passed over.
std::vector<Chart> training_charts(const json& log_history);

// Written whole or not at all.
void write_training_charts(const fs::path& path, const json& log_history);

}  // namespace lmpo

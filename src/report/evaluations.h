// What the models of runs scored on tasks: results of lmpo eval beside the runs they belong to.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/run.h"

namespace lmpo {

// Reads all results in the runs' folders and in these folders, at any depth, into the runs whose
// models they are of; of a task the newest. Results of other models are passed over: a warning
// names those of these folders. What cannot be read becomes a notice of a run, or a UserError.
void add_evaluations(std::span<Run> runs, std::span<const fs::path> folders);

// A table of tasks by runs, as HTML; empty where no run has scores.
std::string evaluations_part(std::span<const Run> runs);

}  // namespace lmpo

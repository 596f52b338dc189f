// Reads runs from their output folders: lmpo_run.json, trainer_state.json, trainer_log.jsonl,
// eval_samples.jsonl, checkpoint-N/. The folder may be in any state: still growing, torn by a kill,
// written by another program (transformers, TRL), with NaN in its JSON. What cannot be read becomes
// a notice of the run. UserError only for a folder that is no run.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run.h"

namespace lmpo {

inline constexpr const char* kExpectedRun =
    "the output folder of a training run was expected, with lmpo_run.json, trainer_state.json or "
    "trainer_log.jsonl in it";

// True if the folder has one of the first three files.
bool is_run_folder(const fs::path& folder);

// UserError if is_run_folder is false.
Run read_run_folder(const fs::path& folder);

// The runs that a user names, in order: "FOLDER", "NAME=FOLDER", a pattern ("runs/*"), or a folder
// that holds run folders. A run is named by its label or its folder; if that is not unique, by as
// much of its path as is. UserError for a name without a run.
std::vector<Run> read_runs(std::span<const std::string> names);

// Different names for absolute folders: their labels, or if these are empty, ends of their paths.
std::vector<std::string> distinct_names(std::span<const fs::path> folders,
                                        std::span<const std::string> labels);

// The contents of a run's files, any bytes, for tests and fuzzing.
struct RunFiles {
  std::string record;   // lmpo_run.json
  std::string state;    // trainer_state.json
  std::string log;      // trainer_log.jsonl
  std::string samples;  // eval_samples.jsonl
};
// Fills a run's settings, tables, counts, answers and notices; not its state nor its checkpoints.
void read_run_files(const RunFiles& files, Run& run);

}  // namespace lmpo

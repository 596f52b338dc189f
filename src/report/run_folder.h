// Runs from the folders they write: lmpo_run.json, trainer_state.json, trainer_log.jsonl,
// eval_samples.jsonl, checkpoint-N/, in any state: still growing, torn by a kill, of another
// program (transformers, TRL), with NaN where JSON has none. What cannot be read becomes a notice
// of the run; only a folder that is no run is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/run.h"

namespace lmpo {

inline constexpr const char* kExpectedRun =
    "the output folder of a training was expected, with lmpo_run.json, trainer_state.json or "
    "trainer_log.jsonl in it";

// Whether a folder has one of the three files that make it a run.
bool is_run_folder(const fs::path& folder);

// UserError where is_run_folder does not hold; it names what was expected.
Run read_run_folder(const fs::path& folder);

// Runs of what a person named, in order: "FOLDER", "NAME=FOLDER", a pattern ("runs/*"), or a folder
// that holds run folders. Names are unique: a run is called by its label or else by its folder, and
// where several would be called the same, by as much of their paths as tells them apart. UserError
// for what names no run.
std::vector<Run> read_runs(std::span<const std::string> names);

// What folders (absolute ones) are called: by their labels, where they have any; all different.
std::vector<std::string> distinct_names(std::span<const fs::path> folders,
                                        std::span<const std::string> labels);

// Content of a run's files, for tests and fuzzing: any bytes.
struct RunFiles {
  std::string record;   // lmpo_run.json
  std::string state;    // trainer_state.json
  std::string log;      // trainer_log.jsonl
  std::string samples;  // eval_samples.jsonl
};
// Fills a run's settings, tables, counts, answers and notices; not its state nor its checkpoints.
void read_run_files(const RunFiles& files, Run& run);

}  // namespace lmpo

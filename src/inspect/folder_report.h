// What a folder is: a checkpoint, a training run, or both; or how two checkpoints differ.
#pragma once

#include <optional>
#include <vector>

#include "inspect/checkpoint_difference.h"
#include "inspect/checkpoint_facts.h"
#include "inspect/checkpoint_state.h"
#include "inspect/terminal.h"
#include "report/run_folder.h"

namespace lmpo {

bool is_checkpoint(const fs::path& folder);
// The output folder of a training; not a checkpoint in it, which has files of the same names.
bool is_run(const fs::path& folder);

struct FolderReport {
  std::optional<Run> run;
  std::optional<CheckpointFacts> facts;
  std::optional<CheckpointDifference> difference;
  std::vector<CheckpointState> states;  // of the folder, or of the checkpoints in it
};

// The folder of a finished run is both a run and a checkpoint. UserError for what cannot be read.
FolderReport folder_report(const fs::path& folder);
FolderReport folder_report(const fs::path& folder, const fs::path& other);

ordered_json to_json(const FolderReport& report);
void print(const FolderReport& report, TerminalText& out);

}  // namespace lmpo

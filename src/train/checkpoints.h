// The checkpoints of an output folder: checkpoint-N, see train_state.h.
//
// They belong to one run. A run that goes back to an earlier checkpoint is a new one, with the next
// number: what the run before it had saved beyond that step is set aside, under another name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "train/train_state.h"

namespace lmpo {

// Checkpoint folders of an output folder by their step; only whole ones, and only those of the run
// that lmpo_run.json names.
std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& output_dir);
// The folder that `resume` names: "true" for the newest of output_dir. UserError where there is
// none.
fs::path find_checkpoint(const std::string& resume, const fs::path& output_dir);

// Which run an output folder's checkpoints are of; a part of lmpo_run.json.
struct RunIdentity {
  std::int64_t number = 0;  // of runs that went back to an earlier checkpoint of the one before
  std::int64_t begin = 0;   // checkpoints up to this step are shared with the run before
};
json to_json(const RunIdentity& run);
// The identity of a run that resumes from `checkpoint` and whose state that is.
RunIdentity resumed_run(const fs::path& output_dir, const fs::path& checkpoint,
                        const TrainState& state);
// Renames all checkpoints that are not of the run, checkpoint-8 to checkpoint-8.set-aside, and says
// so. lmpo_run.json must name the run already: a kill in between then mixes up nothing.
void set_aside_others(const fs::path& output_dir, const RunIdentity& run);

// Removes what set_aside_others renamed. A folder that cannot be removed is a warning.
void remove_set_aside(const fs::path& output_dir);

// Whether the checkpoint is one of the output folder's.
bool is_in(const fs::path& checkpoint, const fs::path& output_dir);

// Writes lmpo_state.json, which makes a folder a checkpoint: the state and the hashes of all other
// files of the folder. To be called last.
void write_train_state(const fs::path& folder, const TrainState& state);
TrainState read_train_state(const fs::path& folder);
// Compares all files of a checkpoint with the hashes in its state. UserError that names the first
// that differs, and an older checkpoint beside it. False for one that an lmpo without hashes wrote.
bool verify_checkpoint(const fs::path& folder);

// A kill leaves nothing that looks like a checkpoint. MachineError.
void remove_checkpoint(const fs::path& folder);

}  // namespace lmpo

// The checkpoints of an output folder: checkpoint-N, see train_state.h.
//
// They belong to one run. Resuming from an earlier checkpoint starts a new run, with the next number.
// Later checkpoints of the old run are then renamed, so that nobody resumes from them by mistake.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "train/train_state.h"

namespace lmpo {

// The checkpoints of the run that lmpo_run.json names, by their step. Incomplete ones are left out.
std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& output_dir);
// The folder to resume from: `resume` itself, or the newest checkpoint of output_dir if it is "true".
// UserError if there is none.
fs::path find_checkpoint(const std::string& resume, const fs::path& output_dir);

// Which run an output folder's checkpoints belong to; a part of lmpo_run.json.
struct RunIdentity {
  std::int64_t number = 0;  // how many times a run resumed from an earlier checkpoint
  std::int64_t begin = 0;   // checkpoints up to this step belong to the previous run, too
};
json to_json(const RunIdentity& run);
// The identity of a run that resumes from `checkpoint`, whose state is `state`.
RunIdentity resumed_run(const fs::path& output_dir, const fs::path& checkpoint,
                        const TrainState& state);
// Renames all checkpoints of other runs, checkpoint-8 to checkpoint-8.set-aside, and logs it.
// lmpo_run.json must name the run already, so that a kill in between mixes up nothing.
void set_aside_others(const fs::path& output_dir, const RunIdentity& run);

// Removes what set_aside_others renamed. A folder that cannot be removed is a warning.
void remove_set_aside(const fs::path& output_dir);

// Whether the checkpoint lies in the output folder.
bool is_in(const fs::path& checkpoint, const fs::path& output_dir);

// Writes lmpo_state.json, which makes a folder a checkpoint: the state, and the hashes of all other
// files of the folder. Call it last.
void write_train_state(const fs::path& folder, const TrainState& state);
TrainState read_train_state(const fs::path& folder);
// Compares all files of a checkpoint with the hashes in its state. UserError names the first that
// differs and an older checkpoint to use instead. False if the state has no hashes (early lmpo).
bool verify_checkpoint(const fs::path& folder);

// Renames first, so that a kill leaves nothing that looks like a checkpoint. MachineError if the
// folder cannot be removed.
void remove_checkpoint(const fs::path& folder);

}  // namespace lmpo

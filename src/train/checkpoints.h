// The checkpoints of an output folder: checkpoint-N, see train_state.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Checkpoint folders of an output folder by their step; only whole ones.
std::vector<std::pair<std::int64_t, fs::path>> list_checkpoints(const fs::path& output_dir);
// The folder that `resume` names: "true" for the newest of output_dir. UserError where there is
// none.
fs::path find_checkpoint(const std::string& resume, const fs::path& output_dir);

}  // namespace lmpo

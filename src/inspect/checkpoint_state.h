// Compares training checkpoints with the hashes that were written with them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

struct CheckpointState {
  std::string name;
  bool verified = false;  // false: damaged, or without hashes
  std::string damage;     // one sentence; empty if there is none
};

// The folder itself if it is a checkpoint, else all checkpoints in it. Reads every byte.
std::vector<CheckpointState> checkpoint_states(const fs::path& folder);

void print(const std::vector<CheckpointState>& states, TerminalText& out);
ordered_json to_json(const std::vector<CheckpointState>& states);
// UserError for the first damaged one.
void require_undamaged(const std::vector<CheckpointState>& states);

}  // namespace lmpo

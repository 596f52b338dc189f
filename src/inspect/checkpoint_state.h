// Whether checkpoints of training are what was written.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

struct CheckpointState {
  std::string name;
  bool verified = false;  // false: damaged, or without hashes
  std::string damage;     // a sentence; empty where there is none
};

// Of the folder itself, where it is a checkpoint, or of all in it. Reads every byte of them.
std::vector<CheckpointState> checkpoint_states(const fs::path& folder);

void print(const std::vector<CheckpointState>& states, TerminalText& out);
ordered_json to_json(const std::vector<CheckpointState>& states);
// UserError for the first that is damaged.
void require_undamaged(const std::vector<CheckpointState>& states);

}  // namespace lmpo

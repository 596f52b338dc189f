#include "inspect/checkpoint_state.h"

#include "base/error.h"
#include "train/checkpoints.h"

namespace lmpo {
namespace {

CheckpointState state_of(const fs::path& folder) {
  CheckpointState state;
  state.name = folder.filename().string();
  try {
    state.verified = verify_checkpoint(folder);
  } catch (const UserError& error) {
    state.damage = error.what();
  }
  return state;
}

}  // namespace

std::vector<CheckpointState> checkpoint_states(const fs::path& folder) {
  std::vector<CheckpointState> states;
  if (fs::exists(folder / "lmpo_state.json")) {
    states.push_back(state_of(folder.has_filename() ? folder : folder.parent_path()));
    return states;
  }
  for (const auto& [step, checkpoint] : list_checkpoints(folder)) {
    states.push_back(state_of(checkpoint));
  }
  return states;
}

void print(const std::vector<CheckpointState>& states, TerminalText& out) {
  if (states.empty()) {
    return;
  }
  out.heading("Files of checkpoints");
  for (const CheckpointState& state : states) {
    out.prose(fmt::format("{}: {}", state.name,
                          !state.damage.empty() ? "DAMAGED: " + state.damage
                          : state.verified      ? "intact"
                                                : "unknown, it has no hashes"));
  }
}

ordered_json to_json(const std::vector<CheckpointState>& states) {
  ordered_json list = ordered_json::array();
  for (const CheckpointState& state : states) {
    list.push_back({{"name", state.name},
                    {"verified", state.verified},
                    {"damage", state.damage.empty() ? json() : json(state.damage)}});
  }
  return list;
}

void require_undamaged(const std::vector<CheckpointState>& states) {
  for (const CheckpointState& state : states) {
    if (!state.damage.empty()) {
      throw UserError(state.damage);
    }
  }
}

}  // namespace lmpo

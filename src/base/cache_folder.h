// Where a user's caches and kept files are.
#pragma once

#include "base/file.h"

namespace lmpo {

// lmpo's own: $LMPO_CACHE, else $XDG_CACHE_HOME/lmpo, else ~/.cache/lmpo; "" without a home.
fs::path default_cache_folder();

// A file that lmpo keeps for its user: $XDG_STATE_HOME/lmpo/NAME, else in ~/.local/state; "" without
// a home.
fs::path state_file(const std::string& name);

// Models and datasets downloaded from the Hugging Face Hub: $HF_HUB_CACHE, else $HF_HOME/hub, else
// huggingface/hub in $XDG_CACHE_HOME or ~/.cache.
fs::path hub_cache_folder();
// Whether a path looks like the name of a model or dataset on the Hub, "owner/name", and not like a
// file.
bool is_hub_name(const fs::path& path);
// The same, if nothing exists at that path.
bool is_absent_hub_name(const fs::path& path);
// The newest snapshot of such a name in that folder, KIND--owner--name/snapshots/REVISION (kind
// "models" or "datasets"); "" if it was not downloaded.
fs::path find_in_hub_cache(std::string_view kind, const fs::path& name);
// UserError, with what to do, if the path is not a folder.
void require_model_exists(const fs::path& path);

}  // namespace lmpo

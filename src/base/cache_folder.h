// Where the program keeps what it can make again.
#pragma once

#include "base/file.h"

namespace lmpo {

// $LMPO_CACHE, else $XDG_CACHE_HOME/lmpo, else ~/.cache/lmpo; "" where there is no home.
fs::path default_cache_folder();

// The folder of models and datasets that were fetched from the Hugging Face Hub: $HF_HUB_CACHE,
// else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME or ~/.cache.
fs::path hub_cache_folder();
// Whether a path looks like "owner/name", as models and datasets of the Hub are called, and not
// like a file.
bool is_hub_name(const fs::path& path);
// The same where nothing lies at that path. Of one that is too long, reading it will tell.
bool is_absent_hub_name(const fs::path& path);
// The newest state in that folder of what goes by such a name, KIND--owner--name/snapshots/REVISION
// (kind "models" or "datasets"); "" where it was not fetched.
fs::path find_in_hub_cache(std::string_view kind, const fs::path& name);

}  // namespace lmpo

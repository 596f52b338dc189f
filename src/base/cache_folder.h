// Where the program keeps what it can make again.
#pragma once

#include "base/file.h"

namespace lmpo {

// $LMPO_CACHE, else $XDG_CACHE_HOME/lmpo, else ~/.cache/lmpo; "" where there is no home.
fs::path default_cache_folder();

// The folder of models and datasets that were fetched from the Hugging Face Hub: $HF_HUB_CACHE,
// else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME or ~/.cache.
fs::path hub_cache_folder();

}  // namespace lmpo

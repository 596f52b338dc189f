// Flags of lmpo train for the toy language.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Without files and seed.

// SFT on the answers, from random weights.
std::vector<std::string> sft_flags();
// Preference optimization from the SFT model. The caller adds objective, its options, learning rate
// and epochs.
std::vector<std::string> preference_flags();

// The complete commands of lmpo example. `folder` holds the task in world/ and a random model in
// random/; the SFT model goes to sft/, the other to a folder with the objective's name.
std::vector<std::string> sft_arguments(const fs::path& folder, std::int64_t seed);
std::vector<std::string> preference_arguments(const fs::path& folder, const std::string& objective,
                                              std::int64_t seed);

}  // namespace lmpo

// Flags of lmpo train for the toy language, without files and seed.
#pragma once

#include <string>
#include <vector>

namespace lmpo {

// SFT on the answers, from random weights.
std::vector<std::string> sft_flags();
// Preference optimization from the SFT model. The caller adds objective, its options, learning rate
// and epochs.
std::vector<std::string> preference_flags();

}  // namespace lmpo

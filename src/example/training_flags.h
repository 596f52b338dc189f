// How models are trained in the small world: flags of lmpo train, without files and seed.
#pragma once

#include <string>
#include <vector>

namespace lmpo {

// From a random model: SFT on the world's answers.
std::vector<std::string> sft_flags();
// From the SFT model, on the world's preferences; objective, its options, learning rate and epochs
// are to be added.
std::vector<std::string> preference_flags();

}  // namespace lmpo

// Model cards: README.md of a folder with a model that this program made. Front matter for the
// Hugging Face Hub, then for people what the model is, what made it, and how to load it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Of a finished run's folder, from the records in it: lmpo_run.json, trainer_state.json,
// training_curves.svg. Throws UserError where the records are not what a run writes.
std::string run_card(const fs::path& folder);

// Of a weighted sum of models, or of one model (weight 1) that is stored in another way.
struct CombinedModels {
  std::vector<std::pair<fs::path, double>> models;
  std::string version;  // of the program
};
std::string combined_card(const fs::path& folder, const CombinedModels& combined);

// Of random weights.
std::string random_card(const fs::path& folder, std::int64_t seed, const std::string& version);

inline constexpr const char* kCardFile = "README.md";
inline constexpr const char* kSecondCardFile = "README.lmpo.md";

// Writes the card into the folder as README.md, with a checksum in its last line. A README.md
// that is there and is not as this program wrote it is someone's own: it stays, and the card
// becomes README.lmpo.md, which the log says.
void write_card(const fs::path& folder, const std::string& card);

}  // namespace lmpo

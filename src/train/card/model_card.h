// Model cards: README.md of a folder with a model that lmpo wrote. Front matter for the Hugging Face
// Hub, then what the model is, how it was made, and how to load it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lmpo {

// The card of a finished run, from its records: lmpo_run.json, trainer_state.json,
// training_curves.svg. UserError for records that a run cannot have written.
std::string run_card(const fs::path& folder);

// A weighted sum of models, or one model (weight 1) in another format.
struct CombinedModels {
  std::vector<std::pair<fs::path, double>> models;
  std::string version;  // of the program
};
std::string combined_card(const fs::path& folder, const CombinedModels& combined);

// A model from a GGUF file.
struct ImportedCard {
  std::string name;  // what the file calls it
  fs::path file;
  std::string license;  // "": unknown
  std::string types;    // of its tensors: "210 Q4_1, 61 F32"
  std::string version;  // of the program
};
std::string imported_card(const fs::path& folder, const ImportedCard& imported);

// The card of random weights.
std::string random_card(const fs::path& folder, std::int64_t seed, const std::string& version);

inline constexpr const char* kCardFile = "README.md";
inline constexpr const char* kSecondCardFile = "README.lmpo.md";

// Writes the card into the folder as README.md, with a checksum in its last line. A README.md that
// someone else wrote or changed stays; the card is then written as README.lmpo.md, and logged.
void write_card(const fs::path& folder, const std::string& card);

}  // namespace lmpo

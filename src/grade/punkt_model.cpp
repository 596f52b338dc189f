#include "grade/punkt_model.h"

#include <array>

#include "base/error.h"
#include "grade/embedded.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

// The lines of the file's sections, of which each begins with its name in brackets and ends with an
// empty line.
std::unordered_map<std::string_view, std::vector<std::string_view>> sections() {
  std::unordered_map<std::string_view, std::vector<std::string_view>> result;
  std::vector<std::string_view>* lines = nullptr;
  for (const std::string_view line : split(punkt_english_file(), "\n")) {
    if (line.starts_with('[')) {
      lines = &result[line.substr(1, line.size() - 2)];
    } else if (!line.empty()) {
      lines->push_back(line);
    }
  }
  return result;
}

PunktModel read_model() {
  const auto parts = sections();
  PunktModel model;
  const auto& abbreviations = parts.at("abbreviations");
  model.abbreviations = {abbreviations.begin(), abbreviations.end()};
  const auto& collocations = parts.at("collocations");
  model.collocations = {collocations.begin(), collocations.end()};
  const auto& starters = parts.at("sentence starters");
  model.sentence_starters = {starters.begin(), starters.end()};
  struct Use {
    const char* section;
    WordUse use;
  };
  constexpr auto kUses = std::to_array<Use>({
      {"begin sentences in lower case", WordUse::begins_in_lower_case},
      {"in capitals only where sentences begin", WordUse::capital_begins},
      {"in capitals elsewhere", WordUse::capital_anywhere},
  });
  for (const Use& each : kUses) {
    for (const std::string_view word : parts.at(each.section)) {
      model.uses.emplace(word, each.use);
    }
  }
  return model;
}

}  // namespace

const PunktModel& PunktModel::get() {
  static const PunktModel model = read_model();
  return model;
}

WordUse PunktModel::use_of(std::string_view word) const {
  const auto found = uses.find(word);
  return found == uses.end() ? WordUse::unknown : found->second;
}

}  // namespace lmpo::grade

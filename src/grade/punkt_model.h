// What Punkt learnt from English newspapers.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace lmpo::grade {

// How a word was seen. A word that was never seen in lower case is as one never seen at all.
enum class WordUse {
  unknown,
  begins_in_lower_case,  // never in capitals; begins sentences in lower case
  capital_begins,        // in capitals only where sentences begin, if at all
  capital_anywhere,      // in capitals also elsewhere
};

struct PunktModel {
  // Read from the program's own file for the first use. Thread-safe.
  static const PunktModel& get();

  WordUse use_of(std::string_view word) const;

  // Words in lower case. Abbreviations without the last full stop.
  std::set<std::string_view> abbreviations;
  std::set<std::string> collocations;  // "first second": of both words, no sentence ends between
  std::set<std::string_view> sentence_starters;
  std::unordered_map<std::string_view, WordUse> uses;
};

}  // namespace lmpo::grade

#include <algorithm>

#include "grade/instruction_checks.h"
#include "grade/language.h"
#include "grade/python_text.h"
#include "grade/sentences.h"

namespace lmpo::grade {
namespace {

// A text whose language cannot be told counts as of the right one.
bool has_language(std::string_view answer, std::string_view language) {
  return detect_language(answer).value_or(std::string(language)) == language;
}

}  // namespace

bool is_in_language(std::string_view answer, const json& parameters) {
  return has_language(answer, text_of(parameters, "language"));
}

bool is_english_in_capitals(std::string_view answer, const json&) {
  return is_upper(answer) && has_language(answer, "en");
}

bool is_english_in_lower_case(std::string_view answer, const json&) {
  return is_lower(answer) && has_language(answer, "en");
}

// The relation "less than" stands where the prompt may say "at most"; "I" and "A" are words in
// capitals.
bool has_capital_word_count(std::string_view answer, const json& parameters) {
  const std::vector<std::string> words = word_tokens(answer);
  const auto count =
      std::count_if(words.begin(), words.end(), [](const auto& word) { return is_upper(word); });
  return meets(static_cast<std::size_t>(count), parameters, "capital_relation",
               "capital_frequency");
}

}  // namespace lmpo::grade

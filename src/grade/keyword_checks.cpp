#include <algorithm>

#include "grade/instruction_checks.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

// Keywords are patterns, of parts of words too: "art" is found in "start".
Regex keyword_regex(const std::string& keyword) {
  return python_regex("(?i)" + keyword, "IFEval's keyword '" + keyword + "'");
}

}  // namespace

bool meets(std::size_t count, const json& parameters, const char* relation, const char* bound) {
  const auto number = static_cast<double>(count);
  const auto limit = parameters.at(bound).get<double>();
  return text_of(parameters, relation) == "less than" ? number < limit : number >= limit;
}

bool has_keywords(std::string_view answer, const json& parameters) {
  const json& keywords = parameters.at("keywords");
  return std::all_of(keywords.begin(), keywords.end(), [&](const json& keyword) {
    return keyword_regex(keyword.get<std::string>()).is_in(answer);
  });
}

bool has_keyword_count(std::string_view answer, const json& parameters) {
  const Regex keyword = keyword_regex(strip(text_of(parameters, "keyword")));
  return meets(keyword.find_all(answer).size(), parameters, "relation", "frequency");
}

bool has_no_forbidden_words(std::string_view answer, const json& parameters) {
  const json& words = parameters.at("forbidden_words");
  return std::none_of(words.begin(), words.end(), [&](const json& word) {
    return keyword_regex("\\b" + word.get<std::string>() + "\\b").is_in(answer);
  });
}

// lm-eval replaces what is none of the letters a to z by a letter that it draws at random, for two
// rows of the data, with '#' and '!'. Here the character itself is counted.
bool has_letter_count(std::string_view answer, const json& parameters) {
  const std::string text = lower(answer);
  const std::string letter = lower(text_of(parameters, "letter"));
  return meets(split(text, letter).size() - 1, parameters, "let_relation", "let_frequency");
}

}  // namespace lmpo::grade

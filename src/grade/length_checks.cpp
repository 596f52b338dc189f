#include <algorithm>

#include "grade/instruction_checks.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"
#include "grade/sentences.h"

namespace lmpo::grade {
namespace {

bool is_count(std::size_t count, const json& parameters, const char* name) {
  return static_cast<double>(count) == parameters.at(name).get<double>();
}

// The first word of a paragraph up to a mark, in lower case. One kind of quotes before it is left
// out, or single ones and then double ones.
std::string first_word_of(std::string_view paragraph) {
  static const Regex words = python_regex("\\S+", "IFEval");
  const std::vector<Span> found = words.find_all(paragraph);
  const std::string word = strip_left(strip_left(found.at(0).of(paragraph), "'"), "\"");
  return lower(word.substr(0, word.find_first_of(".,?!'\"")));
}

}  // namespace

bool has_sentence_count(std::string_view answer, const json& parameters) {
  return meets(sentences(answer).size(), parameters, "relation", "num_sentences");
}

bool has_word_count(std::string_view answer, const json& parameters) {
  return meets(count_words(answer), parameters, "relation", "num_words");
}

// Paragraphs are divided by "***". The first and the last may be empty, no other.
bool has_paragraphs(std::string_view answer, const json& parameters) {
  static const Regex divider = python_regex("\\s?\\*\\*\\*\\s?", "IFEval");
  const std::vector<Span> dividers = divider.find_all(answer);
  std::size_t count = dividers.size() + 1;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= dividers.size(); ++i) {
    const bool is_last = i == dividers.size();
    const std::size_t end = is_last ? answer.size() : dividers[i].begin;
    if (is_blank(answer.substr(begin, end - begin))) {
      if (i != 0 && !is_last) {
        return false;
      }
      --count;
    }
    begin = is_last ? end : dividers[i].end;
  }
  return is_count(count, parameters, "num_paragraphs");
}

// Paragraphs are divided by an empty line. Blank ones do not count, but they have a number.
bool has_first_word(std::string_view answer, const json& parameters) {
  const std::vector<std::string_view> paragraphs = split(answer, "\n\n");
  const auto count = static_cast<std::size_t>(std::count_if(
      paragraphs.begin(), paragraphs.end(), [](std::string_view each) { return !is_blank(each); }));
  const auto number = parameters.at("nth_paragraph").get<double>();
  if (number > static_cast<double>(count) || number < 1) {
    return false;
  }
  const std::string_view paragraph = paragraphs[static_cast<std::size_t>(number) - 1];
  return !is_blank(paragraph) && is_count(count, parameters, "num_paragraphs") &&
         first_word_of(paragraph) == lower(text_of(parameters, "first_word"));
}

}  // namespace lmpo::grade

// The checks of IFEval's instructions, by the groups of its table. The parameters are those that
// the table names, each of the right type. Where a check is odd, lm-eval's is: it says so.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace lmpo::grade {

// "count is less than (or at least) bound", as two parameters say.
bool meets(std::size_t count, const json& parameters, const char* relation, const char* bound);
inline const std::string& text_of(const json& parameters, const char* name) {
  return parameters.at(name).get_ref<const std::string&>();
}

bool has_keywords(std::string_view answer, const json& parameters);
bool has_keyword_count(std::string_view answer, const json& parameters);
bool has_no_forbidden_words(std::string_view answer, const json& parameters);
bool has_letter_count(std::string_view answer, const json& parameters);

bool is_in_language(std::string_view answer, const json& parameters);
bool is_english_in_capitals(std::string_view answer, const json& parameters);
bool is_english_in_lower_case(std::string_view answer, const json& parameters);
bool has_capital_word_count(std::string_view answer, const json& parameters);

bool has_sentence_count(std::string_view answer, const json& parameters);
bool has_word_count(std::string_view answer, const json& parameters);
bool has_paragraphs(std::string_view answer, const json& parameters);
bool has_first_word(std::string_view answer, const json& parameters);

bool has_placeholders(std::string_view answer, const json& parameters);
bool has_postscript(std::string_view answer, const json& parameters);
bool has_two_responses(std::string_view answer, const json& parameters);
bool repeats_prompt(std::string_view answer, const json& parameters);
bool has_end(std::string_view answer, const json& parameters);
bool is_quoted(std::string_view answer, const json& parameters);
bool has_no_comma(std::string_view answer, const json& parameters);

bool has_bullets(std::string_view answer, const json& parameters);
bool is_one_of_options(std::string_view answer, const json& parameters);
bool has_highlights(std::string_view answer, const json& parameters);
bool has_sections(std::string_view answer, const json& parameters);
bool is_json(std::string_view answer, const json& parameters);
bool has_title(std::string_view answer, const json& parameters);

}  // namespace lmpo::grade

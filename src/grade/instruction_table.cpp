#include "grade/instruction_table.h"

#include <algorithm>

#include "grade/instruction_checks.h"

namespace lmpo::grade {

const std::vector<InstructionKind>& instruction_kinds() {
  using Type = ParameterType;
  static const std::vector<InstructionKind> kinds = {
      {"keywords:existence", has_keywords, {{"keywords", Type::texts}}},
      {"keywords:frequency",
       has_keyword_count,
       {{"keyword", Type::text}, {"frequency", Type::count}, {"relation", Type::relation}}},
      {"keywords:forbidden_words", has_no_forbidden_words, {{"forbidden_words", Type::texts}}},
      {"keywords:letter_frequency",
       has_letter_count,
       {{"letter", Type::letter},
        {"let_frequency", Type::count},
        {"let_relation", Type::relation}}},
      {"language:response_language", is_in_language, {{"language", Type::text}}},
      {"length_constraints:number_sentences",
       has_sentence_count,
       {{"num_sentences", Type::count}, {"relation", Type::relation}}},
      {"length_constraints:number_paragraphs", has_paragraphs, {{"num_paragraphs", Type::count}}},
      {"length_constraints:number_words",
       has_word_count,
       {{"num_words", Type::count}, {"relation", Type::relation}}},
      {"length_constraints:nth_paragraph_first_word",
       has_first_word,
       {{"num_paragraphs", Type::count},
        {"nth_paragraph", Type::count},
        {"first_word", Type::text}}},
      {"detectable_content:number_placeholders",
       has_placeholders,
       {{"num_placeholders", Type::count}}},
      {"detectable_content:postscript", has_postscript, {{"postscript_marker", Type::text}}},
      {"detectable_format:number_bullet_lists", has_bullets, {{"num_bullets", Type::count}}},
      {"detectable_format:constrained_response", is_one_of_options, {}},
      {"detectable_format:number_highlighted_sections",
       has_highlights,
       {{"num_highlights", Type::count}}},
      {"detectable_format:multiple_sections",
       has_sections,
       {{"section_spliter", Type::text}, {"num_sections", Type::count}}},
      {"detectable_format:json_format", is_json, {}},
      {"detectable_format:title", has_title, {}},
      {"combination:two_responses", has_two_responses, {}},
      {"combination:repeat_prompt", repeats_prompt, {{"prompt_to_repeat", Type::text}}},
      {"startend:end_checker", has_end, {{"end_phrase", Type::text}}},
      {"startend:quotation", is_quoted, {}},
      {"change_case:capital_word_frequency",
       has_capital_word_count,
       {{"capital_frequency", Type::count}, {"capital_relation", Type::relation}}},
      {"change_case:english_capital", is_english_in_capitals, {}},
      {"change_case:english_lowercase", is_english_in_lower_case, {}},
      {"punctuation:no_comma", has_no_comma, {}},
  };
  return kinds;
}

const InstructionKind* find_instruction_kind(std::string_view id) {
  const auto& kinds = instruction_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [id](const InstructionKind& each) { return each.id == id; });
  return found == kinds.end() ? nullptr : &*found;
}

}  // namespace lmpo::grade

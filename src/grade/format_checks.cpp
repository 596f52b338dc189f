#include <algorithm>
#include <array>

#include "grade/instruction_checks.h"
#include "grade/python_json.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"

namespace lmpo::grade {

// Lines that begin with one asterisk, or with a hyphen, as a table's and a dialogue's do.
bool has_bullets(std::string_view answer, const json& parameters) {
  // lm-eval has \s* for the white space, which goes over lines: the count is the same, and here no
  // run of empty lines is gone over again and again.
  static const Regex asterisks =
      python_regex("^(?:(?!\\n)\\s)*+\\*[^\\*].*$", "IFEval", Lines::many);
  static const Regex hyphens = python_regex("^(?:(?!\\n)\\s)*+-.*$", "IFEval", Lines::many);
  return static_cast<double>(asterisks.find_all(answer).size() + hyphens.find_all(answer).size()) ==
         parameters.at("num_bullets").get<double>();
}

// One of the three anywhere in the answer.
bool is_one_of_options(std::string_view answer, const json&) {
  constexpr auto kOptions = std::to_array<std::string_view>(
      {"My answer is yes.", "My answer is no.", "My answer is maybe."});
  return std::any_of(kOptions.begin(), kOptions.end(), [answer](std::string_view option) {
    return answer.find(option) != std::string_view::npos;
  });
}

// *Words* count once. **Words** count once by the second pattern; by the first one two pairs of
// asterisks around nothing do not count, but what is between two bold parts can.
bool has_highlights(std::string_view answer, const json& parameters) {
  static const Regex one = python_regex("\\*[^\\n\\*]*\\*", "IFEval");
  static const Regex two = python_regex("\\*\\*[^\\n\\*]*\\*\\*", "IFEval");
  int count = 0;
  for (const Regex* pattern : {&one, &two}) {
    for (const Span& span : pattern->find_all(answer)) {
      count += is_blank(strip(span.of(answer), "*")) ? 0 : 1;
    }
  }
  return count >= parameters.at("num_highlights").get<double>();
}

// The word of a section is a pattern. "Section 1" anywhere in a line counts.
bool has_sections(std::string_view answer, const json& parameters) {
  const std::string word = strip(text_of(parameters, "section_spliter"));
  const Regex section =
      python_regex("\\s?" + word + "\\s?\\d+\\s?", "IFEval's section_spliter '" + word + "'");
  return static_cast<double>(section.find_all(answer).size()) >=
         parameters.at("num_sections").get<double>();
}

bool is_json(std::string_view answer, const json&) {
  const std::string stripped = strip(answer);
  std::string_view text = stripped;
  for (const char* fence : {"```json", "```Json", "```JSON", "```"}) {
    text = without_prefix(text, fence);
  }
  return is_python_json(strip(without_suffix(text, "```")));
}

// <<A title>> of one line.
bool has_title(std::string_view answer, const json&) {
  static const Regex title = python_regex("<<[^\\n]+>>", "IFEval");
  const std::vector<Span> found = title.find_all(answer);
  return std::any_of(found.begin(), found.end(), [answer](const Span& span) {
    return !is_blank(strip_right(strip_left(span.of(answer), "<"), ">"));
  });
}

}  // namespace lmpo::grade

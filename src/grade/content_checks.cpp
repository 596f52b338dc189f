#include "grade/instruction_checks.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"

namespace lmpo::grade {

bool has_placeholders(std::string_view answer, const json& parameters) {
  static const Regex placeholder = python_regex("\\[.*?\\]", "IFEval");
  return static_cast<double>(placeholder.find_all(answer).size()) >=
         parameters.at("num_placeholders").get<double>();
}

// The marker may be anywhere, also within a word; one that is not known is a pattern.
bool has_postscript(std::string_view answer, const json& parameters) {
  const std::string marker = strip(text_of(parameters, "postscript_marker"));
  const std::string pattern = marker == "P.P.S"  ? "p\\.\\s?p\\.\\s?s"
                              : marker == "P.S." ? "p\\.\\s?s\\."
                                                 : lower(marker);
  return python_regex(pattern, "IFEval's postscript_marker '" + marker + "'").is_in(lower(answer));
}

// Two different texts, divided by six asterisks. The first and the last part may be blank.
bool has_two_responses(std::string_view answer, const json&) {
  const std::vector<std::string_view> parts = split(answer, "******");
  std::vector<std::string> responses;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string response = strip(parts[i]);
    if (!response.empty()) {
      responses.push_back(std::move(response));
    } else if (i != 0 && i + 1 != parts.size()) {
      return false;
    }
  }
  return responses.size() == 2 && responses[0] != responses[1];
}

bool repeats_prompt(std::string_view answer, const json& parameters) {
  return lower(strip(answer)).starts_with(lower(strip(text_of(parameters, "prompt_to_repeat"))));
}

bool has_end(std::string_view answer, const json& parameters) {
  return lower(strip(strip(answer), "\""))
      .ends_with(lower(strip(text_of(parameters, "end_phrase"))));
}

bool is_quoted(std::string_view answer, const json&) {
  const std::string text = strip(answer);
  return text.size() > 1 && text.front() == '"' && text.back() == '"';
}

bool has_no_comma(std::string_view answer, const json&) {
  return answer.find(',') == std::string_view::npos;
}

}  // namespace lmpo::grade

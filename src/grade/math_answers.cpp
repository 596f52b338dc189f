#include "grade/math_answers.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

// What is replaced, in this order. Spaces go early, so that later rows have none.
constexpr auto kSubstitutions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"an ", ""},
    {"a ", ""},
    {".$", "$"},
    {"\\$", ""},
    {"\\ ", ""},
    {" ", ""},
    {"mbox", "text"},
    {",\\text{and}", ","},
    {"\\text{and}", ","},
    {"\\text{m}", "\\text{}"},
});

constexpr auto kRemoved = std::to_array<std::string_view>({
    "square",       "ways",
    "integers",     "dollars",
    "mph",          "inches",
    "ft",           "hours",
    "km",           "units",
    "\\ldots",      "sue",
    "points",       "feet",
    "minutes",      "digits",
    "cents",        "degrees",
    "cm",           "gm",
    "pounds",       "meters",
    "meals",        "edges",
    "students",     "childrentickets",
    "multiples",    "\\text{s}",
    "\\text{.}",    "\\text{\ns}",
    "\\text{}^2",   "\\text{}^3",
    "\\text{\n}",   "\\text{}",
    "\\mathrm{th}", "^\\circ",
    "^{\\circ}",    "\\;",
    ",\\!",         "{,}",
    "\"",           "\\dots",
});

struct Rule {
  Regex pattern;
  const char* replacement;
};

// Leaves what is between dollar signs, in a box, bold, overlined or a text; then writes \frac12 and
// \sqrt2 with braces.
const std::vector<Rule>& latex_rules() {
  static const std::vector<Rule> rules = {
      {python_regex(R"((.*?)(\$)(.*?)(\$)(.*))", "MATH"), "$\\3$"},
      {python_regex(R"((\\text\{)(.*?)(\}))", "MATH"), "\\2"},
      {python_regex(R"((\\textbf\{)(.*?)(\}))", "MATH"), "\\2"},
      {python_regex(R"((\\overline\{)(.*?)(\}))", "MATH"), "\\2"},
      {python_regex(R"((\\boxed\{)(.*)(\}))", "MATH"), "\\2"},
      {python_regex(R"((frac)([^{])(.))", "MATH"), "frac{\\2}{\\3}"},
      {python_regex(R"((sqrt)([^{]))", "MATH"), "sqrt{\\2}"},
  };
  return rules;
}

// str.isdigit(): of any script, and superscripts and the like.
bool is_number(std::string_view text) {
  static const Regex digits(
      R"((?-m)\A[\p{Nd}\x{b2}\x{b3}\x{b9}\x{2070}\x{2074}-\x{2079}\x{2080}-\x{2089}]+\z)", "MATH");
  return digits.is_in(text);
}

// The text from `begin` to the brace that closes the first one after it; "" if none does.
std::string_view through_closing_brace(std::string_view text, std::size_t begin) {
  int depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return text.substr(begin, i + 1 - begin);
    }
  }
  return {};
}

}  // namespace

std::string boxed_answer(std::string_view solution) {
  const std::string text = replace_invalid_utf8(solution);
  constexpr std::string_view kSpaced = "\\boxed ";  // "\boxed 5$": up to the dollar sign
  if (text.find(kSpaced) != std::string::npos) {
    return std::string(split(split(text, kSpaced).back(), "$").front());
  }
  const std::size_t begin = text.rfind("\\boxed");
  // \fbox is found as well, but what is not in \boxed{} is no answer.
  const std::string_view box =
      begin == std::string::npos ? std::string_view() : through_closing_brace(text, begin);
  constexpr std::string_view kOpen = "\\boxed{";
  return std::string(box.starts_with(kOpen) ? without_suffix(box.substr(kOpen.size()), "}")
                                            : kInvalidAnswer);
}

std::string final_answer(std::string_view response) {
  static const Regex answer =
      python_regex("Final Answer: The final answer is(.*?). I hope it is correct.", "MATH");
  const std::string text = replace_invalid_utf8(response) + "I hope it is correct.";
  const auto found = answer.find_groups(text);
  return found.empty() ? std::string(kInvalidAnswer) : strip(found.front().at(1).of(text));
}

std::string normalize_answer(std::string_view answer) {
  const std::string valid = replace_invalid_utf8(answer);
  std::string text(split(valid, "=").back());
  for (const auto& [from, to] : kSubstitutions) {
    text = replace(text, from, to);
  }
  for (const std::string_view removed : kRemoved) {
    text = replace(text, removed, "");
  }
  for (const Rule& rule : latex_rules()) {
    text = substitute(rule.pattern, rule.replacement, text);
  }
  text = replace(text, "$", "");
  const std::string without_commas = replace(text, ",", "");
  return is_number(without_commas) ? without_commas : text;
}

bool is_correct(std::string_view response, std::string_view reference) {
  const std::string answer = normalize_answer(final_answer(response));
  const std::string wanted = normalize_answer(reference);
  return answer != kInvalidAnswer &&
         (strip(answer) == strip(wanted) || is_equivalent(answer, wanted));
}

}  // namespace lmpo::grade

#include "grade/answer_filters.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

std::vector<Regex> compiled(const std::vector<std::string>& patterns) {
  std::vector<Regex> result;
  for (const std::string& pattern : patterns) {
    result.push_back(python_regex(pattern, "regexes_to_ignore"));
  }
  return result;
}

void remove_characters(std::string& text, std::string_view set) {
  std::erase_if(text, [set](char c) { return set.find(c) != std::string_view::npos; });
}

}  // namespace

RegexFilter::RegexFilter(std::string_view pattern, int match, std::string_view fallback)
    : pattern_(python_regex(pattern, "the filter 'regex'")), match_(match), fallback_(fallback) {}

std::string RegexFilter::apply(std::string_view answer) const {
  const std::string text = replace_invalid_utf8(answer);
  const std::vector<std::vector<Span>> matches = pattern_.find_groups(text);
  if (matches.empty()) {
    return fallback_;
  }
  const auto count = static_cast<int>(matches.size());
  const int index = match_ < 0 ? count + match_ : match_;
  LMPO_CHECK(index >= 0 && index < count);
  const std::vector<Span>& spans = matches[static_cast<std::size_t>(index)];
  if (spans.size() <= 2) {  // the match, or its one group
    return strip(spans.back().of(text));
  }
  const auto group = std::find_if(spans.begin() + 1, spans.end(),
                                  [](const Span& span) { return span.size() > 0; });
  return group == spans.end() ? fallback_ : strip(group->of(text));
}

const RegexFilter& gsm8k_strict_match() {
  static const RegexFilter filter("#### (\\-?[0-9\\.\\,]+)", 0);
  return filter;
}

const RegexFilter& gsm8k_flexible_extract() {
  static const RegexFilter filter("(-?[$0-9.,]{2,})|(-?[0-9]+)", -1);
  return filter;
}

ExactMatch::ExactMatch(const ExactMatchOptions& options)
    : ignored_(compiled(options.regexes_to_ignore)), options_(options) {}

std::string ExactMatch::changed(std::string_view text) const {
  std::string result = replace_invalid_utf8(text);
  for (const Regex& regex : ignored_) {
    result = substitute(regex, "", result);
  }
  if (options_.ignore_case) {
    result = lower(result);
  }
  if (options_.ignore_punctuation) {
    remove_characters(result, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
  }
  if (options_.ignore_numbers) {
    remove_characters(result, "0123456789");
  }
  // numpy's arrays of texts do not keep zero characters at the end.
  return jinja::strip(result, std::string(1, '\0'), false, true);
}

bool ExactMatch::equal(std::string_view prediction, std::string_view reference) const {
  return changed(prediction) == changed(reference);
}

const ExactMatch& gsm8k_exact_match() {
  static const ExactMatch metric({.regexes_to_ignore = {",", "\\$", "(?s).*#### ", "\\.$"},
                                  .ignore_case = true,
                                  .ignore_punctuation = false,
                                  .ignore_numbers = false});
  return metric;
}

}  // namespace lmpo::grade

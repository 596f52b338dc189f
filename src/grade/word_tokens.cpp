// nltk's NLTKWordTokenizer, which puts spaces around what is a token of its own and then splits:
// after the Penn Treebank's tokenizer by Robert MacIntyre.
#include "grade/nltk_regex.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"
#include "grade/sentences.h"

namespace lmpo::grade {
namespace {

struct Rule {
  Regex pattern;
  const char* replacement;
};

// Opening quotes, marks, brackets and double dashes, in this order.
const std::vector<Rule>& rules_of_text() {
  static const std::vector<Rule> rules = {
      {nltk_regex("([\u00ab\u201c\u2018\u201e]|`+)"), " \\1 "},
      {nltk_regex("^\""), "``"},
      {nltk_regex("(``)"), " \\1 "},
      {nltk_regex("([ (\\[{<])(\"|'{2})"), "\\1 `` "},
      {nltk_regex("(?i)(?<![@w])(')(?!(?:re|ve|ll|m|t|s|d|n)(?![@w]))(?=[@w])"), "\\1 "},
      {nltk_regex("([^.])(\\.)([\\])}>\"' \u00bb\u201d\u2019]*+)[@s]*$"), "\\1 \\2 \\3 "},
      {nltk_regex("([:,])([^\\p{Nd}])"), " \\1 \\2"},
      {nltk_regex("([:,])$"), " \\1 "},
      {nltk_regex("\\.{2,}"), " \\0 "},
      {nltk_regex("[;@#$%&]"), " \\0 "},
      {nltk_regex("[\u2012-\u2015]"), " \\0 "},
      {nltk_regex("([^.])(\\.)([\\])}>\"']*)[@s]*$"), "\\1 \\2\\3 "},
      {nltk_regex("[?!]"), " \\0 "},
      {nltk_regex("([^'])' "), "\\1 ' "},
      {nltk_regex("[*]"), " \\0 "},
      {nltk_regex("[\\]\\[(){}<>]"), " \\0 "},
      {nltk_regex("--"), " -- "},
  };
  return rules;
}

// Closing quotes and contractions, for a text with a space on both sides.
const std::vector<Rule>& rules_of_padded_text() {
  static const std::vector<Rule> rules = {
      {nltk_regex("([\u00bb\u201d\u2019])"), " \\1 "},
      {nltk_regex("''"), " '' "},
      {nltk_regex("\""), " '' "},
      {nltk_regex("[@s]+"), " "},
      {nltk_regex("([^' ])('[sS]|'[mM]|'[dD]|') "), "\\1 \\2 "},
      {nltk_regex("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) "), "\\1 \\2 "},
      {python_regex("(?i)\\b(can)(not)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(d)('ye)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(gim)(me)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(gon)(na)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(got)(ta)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(lem)(me)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(more)('n)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i)\\b(wan)(na)(?=\\s)", "nltk"), " \\1 \\2 "},
      {python_regex("(?i) ('t)(is)\\b", "nltk"), " \\1 \\2 "},
      {python_regex("(?i) ('t)(was)\\b", "nltk"), " \\1 \\2 "},
  };
  return rules;
}

std::string changed(std::string text, const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    text = substitute(rule.pattern, rule.replacement, text);
  }
  return text;
}

}  // namespace

std::vector<std::string> word_tokens(std::string_view text) {
  static const Regex words = python_regex("\\S+", "nltk");
  std::vector<std::string> tokens;
  for (const std::string_view sentence : sentences(text)) {
    const std::string spaced = changed(" " + changed(std::string(sentence), rules_of_text()) + " ",
                                       rules_of_padded_text());
    for (const Span& span : words.find_all(spaced)) {
      tokens.emplace_back(span.of(spaced));
    }
  }
  return tokens;
}

}  // namespace lmpo::grade

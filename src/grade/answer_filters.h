// How lm-eval 0.4.13 takes the answer out of a text (filters) and compares it (exact_match).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/regex.h"

namespace lmpo::grade {

// The filter `regex`. Immutable, thread-safe.
class RegexFilter {
 public:
  // `pattern` is Python's, as far as PCRE2 reads it alike; UserError if it cannot be read. Of all
  // matches the filter takes number `match`, from the end if it is negative.
  RegexFilter(std::string_view pattern, int match, std::string_view fallback = "[invalid]");

  // The match or, if the pattern has groups, its first group that is not empty; without white space
  // around it. The fallback if nothing matches or all groups are empty. LMPO_CHECK: `match` is in
  // range, as 0 and -1 are.
  std::string apply(std::string_view answer) const;

 private:
  Regex pattern_;
  int match_;
  std::string fallback_;
};

// GSM8K's two filters.
const RegexFilter& gsm8k_strict_match();
const RegexFilter& gsm8k_flexible_extract();

// The metric `exact_match` with its options.
struct ExactMatchOptions {
  std::vector<std::string> regexes_to_ignore;  // Python's patterns; what matches is removed
  bool ignore_case = false;
  bool ignore_punctuation = false;  // ASCII's
  bool ignore_numbers = false;      // ASCII's digits
};

// Immutable, thread-safe.
class ExactMatch {
 public:
  explicit ExactMatch(const ExactMatchOptions& options);
  // Whether both are equal after the same changes. Any bytes; invalid UTF-8 is read as U+FFFD.
  bool equal(std::string_view prediction, std::string_view reference) const;

 private:
  std::string changed(std::string_view text) const;

  std::vector<Regex> ignored_;
  ExactMatchOptions options_;
};

// GSM8K's: without case, commas, dollar signs, all up to "#### ", and a last full stop.
const ExactMatch& gsm8k_exact_match();

}  // namespace lmpo::grade

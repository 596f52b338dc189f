// Regular expressions over valid UTF-8, by PCRE2 with its compiler to machine code; by Oniguruma
// where PCRE2 has no counterpart for a pattern in its syntax.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/oniguruma.h"

struct pcre2_real_code_8;

namespace lmpo {

// Immutable; copies share the compiled form; thread-safe.
class Regex {
 public:
  // A pattern in PCRE2's own syntax. Throws UserError, which begins with `where`.
  Regex(const std::string& pattern, std::string_view where);
  // A pattern in Oniguruma's syntax, the one of tokenizer.json files.
  static Regex oniguruma(std::string_view pattern, std::string_view where);

  // All matches from left to right. An empty match counts unless it touches the match before it.
  // Throws UserError where the pattern needs more backtracking than is reasonable.
  std::vector<Span> find_all(std::string_view text) const;
  // The same matches, each as the whole match and its groups. A group that took no part is empty.
  // Only for patterns in PCRE2's own syntax.
  std::vector<std::vector<Span>> find_groups(std::string_view text) const;
  // Whether there is a match.
  bool is_in(std::string_view text) const;

 private:
  Regex(std::shared_ptr<const pcre2_real_code_8> code, const std::string& pattern,
        std::string_view where);
  const pcre2_real_code_8* code_for(std::string_view text) const;

  // Null where Oniguruma is used.
  std::shared_ptr<const pcre2_real_code_8> code_;
  // For texts with characters newer than PCRE2; null if those make no difference. Not used for
  // other texts, because long lists of characters match slowly.
  std::shared_ptr<const pcre2_real_code_8> newer_code_;
  std::optional<Oniguruma> oniguruma_;
  std::string where_;
};

// Writes a pattern of Oniguruma's syntax in PCRE2's syntax, to be compiled with UTF, UCP and
// MULTILINE. Nothing where a construct has no certain counterpart: set operations in classes,
// subroutine calls, back references, ...
std::optional<std::string> oniguruma_to_pcre2(std::string_view pattern);

}  // namespace lmpo

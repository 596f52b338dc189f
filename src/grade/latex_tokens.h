// Tokens of LaTeX formulas, as sympy's grammar has them.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo::grade {

enum class LatexKind {
  end,
  invalid,   // no token begins here
  mark,      // + - * / ( ) { } [ ] | _ ^ : , . and \{ \} \left| \right|
  relation,  // = < > \neq \leq ...
  letter,
  digit,
  quotes,        // one or more '
  differential,  // d and a letter or command
  command,       // \name
};

struct LatexToken {
  LatexKind kind = LatexKind::end;
  std::string text;  // of a command without its backslash
};

// The tokens of a formula, of which the last is `end` or `invalid`. Spaces, \left, \right and
// commands for spaces are left out. Any bytes.
std::vector<LatexToken> latex_tokens(std::string_view formula);

template <std::size_t kSize>
bool is_one_of(std::string_view text, const std::array<std::string_view, kSize>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace lmpo::grade

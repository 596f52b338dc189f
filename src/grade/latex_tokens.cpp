#include "grade/latex_tokens.h"

#include <algorithm>
#include <optional>

namespace lmpo::grade {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t letters_at(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_letter) -
                                  text.begin());
}

// Commands that are left out.
constexpr auto kSkipped = std::to_array<std::string_view>(
    {"thinspace", "medspace", "thickspace", "quad", "qquad", "negthinspace", "negmedspace",
     "negthickspace", "left", "right", "vrule", "vcenter", "vbox", "vskip", "vspace", "hfil"});
constexpr auto kRelations = std::to_array<std::string_view>(
    {"neq", "leq", "le", "leqq", "leqslant", "geq", "ge", "geqq", "geqslant"});

struct Lexeme {
  std::size_t size;
  std::optional<LatexToken> token;  // nothing for what is left out
};

Lexeme backslash(std::string_view text) {
  for (const std::string_view bar : {"\\left|", "\\right|"}) {
    if (text.starts_with(bar)) {
      return {bar.size(), LatexToken{LatexKind::mark, std::string(bar)}};
    }
  }
  const std::size_t letters = letters_at(text.substr(1));
  if (letters > 0) {
    const std::string name(text.substr(1, letters));
    if (is_one_of(name, kSkipped)) {
      return {letters + 1, std::nullopt};
    }
    const bool is_relation = is_one_of(name, kRelations);
    return {letters + 1, LatexToken{is_relation ? LatexKind::relation : LatexKind::command, name}};
  }
  constexpr std::string_view kSkippedMarks = ",:;!*-./\"(=";
  const std::string_view second = text.substr(1, 1);
  if (second == "{" || second == "}") {
    return {2, LatexToken{LatexKind::mark, "\\" + std::string(second)}};
  }
  if (!second.empty() && kSkippedMarks.find(second[0]) != std::string_view::npos) {
    return {2, std::nullopt};
  }
  return {0, LatexToken{LatexKind::invalid, ""}};
}

// "d", perhaps spaces, and a letter or a command: \ and letters. 0 if it is none.
std::size_t differential_size(std::string_view text) {
  const std::size_t next = text.find_first_not_of(kSpaces, 1);
  if (text[0] != 'd' || next == std::string_view::npos) {
    return 0;
  }
  if (is_letter(text[next])) {
    return next + 1;
  }
  const std::size_t letters = text[next] == '\\' ? letters_at(text.substr(next + 1)) : 0;
  return letters > 0 ? next + 1 + letters : 0;
}

Lexeme lexeme(std::string_view text) {
  constexpr std::string_view kMarks = "+-*/(){}[]|_^:,.!";
  const char c = text[0];
  const auto one = [c](LatexKind kind) { return Lexeme{1, LatexToken{kind, std::string(1, c)}}; };
  if (kSpaces.find(c) != std::string_view::npos) {
    return {1, std::nullopt};
  }
  if (c == '\\') {
    return backslash(text);
  }
  if (const std::size_t size = differential_size(text); size > 0) {
    return {size, LatexToken{LatexKind::differential, std::string(text.substr(0, size))}};
  }
  if (is_letter(c)) {
    return one(LatexKind::letter);
  }
  if (is_digit(c)) {
    return one(LatexKind::digit);
  }
  if (c == '\'') {
    const std::size_t size = std::min(text.find_first_not_of('\''), text.size());
    return {size, LatexToken{LatexKind::quotes, std::string(text.substr(0, size))}};
  }
  if (c == '<' || c == '>' || c == '=') {
    return one(LatexKind::relation);
  }
  return one(kMarks.find(c) != std::string_view::npos ? LatexKind::mark : LatexKind::invalid);
}

}  // namespace

std::vector<LatexToken> latex_tokens(std::string_view formula) {
  std::vector<LatexToken> tokens;
  while (!formula.empty()) {
    Lexeme next = lexeme(formula);
    formula.remove_prefix(next.size);
    if (next.token) {
      tokens.push_back(std::move(*next.token));
      if (tokens.back().kind == LatexKind::invalid) {
        return tokens;
      }
    }
  }
  tokens.emplace_back();
  return tokens;
}

}  // namespace lmpo::grade

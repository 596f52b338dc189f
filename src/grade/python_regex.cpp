#include "grade/python_regex.h"

#include <fmt/format.h>

namespace lmpo::grade {
namespace {

// Members of Python's classes. PCRE2's own differ: its \s has U+180E and lacks U+001C to U+001F;
// its \w changed with version 10.43.
constexpr std::string_view kSpaces =
    R"(\t-\r\x{1c}- \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kWords = R"(\p{L}\p{N}_)";
constexpr std::string_view kDigits = R"(\p{Nd})";

std::string_view members_of(char escaped) {
  switch (escaped) {
    case 's':
    case 'S':
      return kSpaces;
    case 'w':
    case 'W':
      return kWords;
    case 'd':
    case 'D':
      return kDigits;
    default:
      return {};
  }
}

std::string word_boundary(bool is_one) {
  constexpr std::string_view kBoundary = R"((?<=[@])(?![@])|(?<![@])(?=[@]))";
  std::string boundary;
  for (const char c : kBoundary) {
    c == '@' ? boundary.append(kWords) : boundary.append(1, c);
  }
  return (is_one ? "(?:" : "(?!") + boundary + ")";
}

// What stands for the escape \c outside a class; "" if it means the same in both languages.
std::string translated(char escaped) {
  if (escaped == 'b' || escaped == 'B') {
    return word_boundary(escaped == 'b');
  }
  const std::string_view members = members_of(escaped);
  if (members.empty()) {
    return "";
  }
  const bool is_negated = escaped < 'a';
  return fmt::format("[{}{}]", is_negated ? "^" : "", members);
}

// The pattern in PCRE2's syntax. Negated classes within classes stay as they are.
std::string to_pcre2(std::string_view pattern) {
  std::string result;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\' && at + 1 < pattern.size()) {
      const char escaped = pattern[++at];
      const bool is_plain = escaped >= 'a';
      const std::string other = !in_class  ? translated(escaped)
                                : is_plain ? std::string(members_of(escaped))
                                           : "";
      result += other.empty() ? std::string{c, escaped} : other;
      continue;
    }
    if (!in_class && c == '[') {
      in_class = true;
      result += c;
      // A bracket that comes first is a member.
      if (pattern.substr(at + 1).starts_with('^')) {
        result += pattern[++at];
      }
      if (pattern.substr(at + 1).starts_with(']')) {
        result += "\\]";
        ++at;
      }
      continue;
    }
    in_class = in_class && c != ']';
    // Python's classes have no names in brackets, such as [:alpha:].
    result += in_class && c == '[' ? "\\[" : std::string(1, c);
  }
  return result;
}

}  // namespace

Regex python_regex(std::string_view pattern, std::string_view where, Lines lines) {
  return Regex((lines == Lines::one ? "(?-m)" : "") + to_pcre2(pattern), where);
}

std::string substitute(const Regex& regex, std::string_view replacement, std::string_view text) {
  std::string result;
  std::size_t end = 0;
  for (const std::vector<Span>& groups : regex.find_groups(text)) {
    result += text.substr(end, groups[0].begin - end);
    for (std::size_t at = 0; at < replacement.size(); ++at) {
      if (replacement[at] == '\\') {
        result += groups.at(static_cast<std::size_t>(replacement[++at] - '0')).of(text);
      } else {
        result += replacement[at];
      }
    }
    end = groups[0].end;
  }
  result += text.substr(end);
  return result;
}

}  // namespace lmpo::grade

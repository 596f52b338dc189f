#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/regex.h"

namespace lmpo {
namespace {

// What \w means to Oniguruma: PCRE2 10.42 leaves out marks and other connectors. Outside of a class
// Oniguruma counts the superscript digits and fractions of Latin-1 as well.
constexpr std::string_view kWordSet =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";
constexpr std::string_view kWordSetInClass = kWordSet.substr(0, kWordSet.find("\\x{B2}"));
constexpr std::string_view kHexadecimalSet = "0-9a-fA-F";
// Escapes that are written in the same way inside a class and outside.
constexpr std::pair<char, std::string_view> kProperties[] = {{'s', "\\p{White_Space}"},
                                                             {'S', "\\P{White_Space}"},
                                                             {'d', "\\p{Nd}"},
                                                             {'D', "\\P{Nd}"},
                                                             {'v', "\\x0b"}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hexadecimal(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Thrown and caught within this file.
struct NoCounterpart {};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  std::string run() {
    while (!done()) {
      const std::size_t begin = out_.size();
      switch (peek()) {
        case '\\':
          escape(false);
          item_ = begin;
          break;
        case '[':
          character_class();
          item_ = begin;
          break;
        case '(':
          open_groups_.push_back({begin, ignores_case_});
          group();
          break;
        case ')':
          close_group();
          break;
        case '{':
          interval();
          break;
        case '?':
        case '*':
        case '+':
          copy(1);
          break;
        default:
          literal();
          item_ = begin;
      }
    }
    return std::move(out_);
  }

 private:
  bool done() const { return at_ >= pattern_.size(); }
  // '\0' past the end.
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }
  bool starts(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  void copy(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ += count;
  }
  [[noreturn]] static void give_up() { throw NoCounterpart(); }

  // Where case is ignored, Oniguruma lets one character match two letters (U+00DF "ss"), and folds
  // whole classes, though not a property outside of them.
  void literal() {
    constexpr std::string_view kPairs[] = {"ff", "fi", "fl", "ss", "st"};
    const auto lower = [&](std::size_t ahead) { return static_cast<char>(peek(ahead) | 0x20); };
    if (ignores_case_ &&
        (!is_ascii(peek()) || std::ranges::any_of(kPairs, [&](std::string_view pair) {
          return lower(0) == pair[0] && lower(1) == pair[1];
        }))) {
      give_up();
    }
    copy(utf8_size(peek()));
  }

  // What begins with a backslash.
  void escape(bool in_class) {
    const char letter = peek(1);
    const std::string_view word = in_class ? kWordSetInClass : kWordSet;
    const auto become = [&](std::string_view text) {
      out_ += text;
      at_ += 2;
    };
    for (const auto& [name, meaning] : kProperties) {
      if (letter == name) {
        return become(meaning);
      }
    }
    switch (letter) {
      case 'w':
      case 'h':
        return become(set(letter == 'w' ? word : kHexadecimalSet, in_class, false));
      case 'W':
      case 'H':
        return become(set(letter == 'W' ? word : kHexadecimalSet, in_class, true));
      case 'b':
      case 'B':
        return become(in_class ? backspace(letter) : word_boundary(letter == 'B'));
      case 'p':
      case 'P':
        return property(in_class);
      case 'x':
      case 'u':
        return code_point(letter);
      default:
        return keep_escape(letter, in_class);
    }
  }

  // Escapes that mean the same to both: anchors, control characters, and signs that stand for
  // themselves.
  void keep_escape(char letter, bool in_class) {
    const bool is_anchor = std::string_view("AzZ").find(letter) != std::string_view::npos;
    if (is_anchor && in_class) {
      give_up();
    }
    const bool is_known =
        is_anchor || std::string_view("tnrfae").find(letter) != std::string_view::npos;
    if (letter == '\0' || (!is_known && (is_letter(letter) || is_digit(letter)))) {
      give_up();
    }
    copy(2);
  }

  static std::string set(std::string_view members, bool in_class, bool negated) {
    if (!in_class) {
      return (negated ? "[^" : "[") + std::string(members) + "]";
    }
    if (negated) {
      give_up();
    }
    return std::string(members);
  }

  static std::string backspace(char letter) {
    if (letter == 'B') {
      give_up();
    }
    return "\\x08";
  }

  static std::string word_boundary(bool negated) {
    const std::string word = "[" + std::string(kWordSet) + "]";
    return negated ? "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))"
                   : "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))";
  }

  // A general category stays as it is. Any other name can be that of a script, which PCRE2 would
  // take for script extensions; where it is not, PCRE2 will refuse it.
  void property(bool in_class) {
    const std::size_t close = pattern_.find('}', at_);
    if (peek(2) != '{' || close == std::string_view::npos || (in_class && ignores_case_)) {
      give_up();
    }
    std::string_view name = pattern_.substr(at_ + 3, close - at_ - 3);
    const bool negated = name.starts_with('^');
    name.remove_prefix(negated ? 1 : 0);
    const bool is_category =
        std::string_view("LMNPSZC").find(name.substr(0, 1)) != std::string_view::npos &&
        (name.size() == 1 || (name.size() == 2 && is_letter(name[1])));
    out_ += (peek(1) == 'P') != negated ? "\\P{" : "\\p{";
    out_ += is_category ? "" : "sc:";
    out_ += name;
    out_ += '}';
    at_ = close + 1;
  }

  // \xHH below 80 (above, it would be a raw byte), \x{H...} and \uHHHH.
  void code_point(char letter) {
    std::size_t digits = at_ + 2;
    const bool braces = letter == 'x' && peek(2) == '{';
    digits += braces ? 1 : 0;
    const auto first =
        pattern_.begin() + static_cast<std::ptrdiff_t>(std::min(digits, pattern_.size()));
    const auto last = std::find_if_not(first, pattern_.end(), is_hexadecimal);
    std::size_t count = static_cast<std::size_t>(last - first);
    if (!braces) {
      count = std::min(count, letter == 'u' ? std::size_t{4} : std::size_t{2});
    }
    const bool complete = braces ? count > 0 && last != pattern_.end() && *last == '}'
                                 : count == (letter == 'u' ? 4u : 2u);
    if (!complete || (letter == 'x' && !braces && pattern_[digits] > '7')) {
      give_up();
    }
    constexpr std::size_t kAsciiDigits = 2;
    if (ignores_case_ && (count != kAsciiDigits || pattern_[digits] > '7')) {
      give_up();
    }
    out_ += "\\x{" + std::string(pattern_.substr(digits, count)) + "}";
    at_ = digits + count + (braces ? 1 : 0);
  }

  void character_class() {
    copy(1);
    if (peek() == '^') {
      copy(1);
    }
    if (peek() == ']') {
      copy(1);
    }
    while (!done() && peek() != ']') {
      if (peek() == '[') {
        give_up();
      }
      if (starts("&&")) {
        give_up();
      }
      if (peek() == '\\') {
        escape(true);
      } else if (ignores_case_ && !is_ascii(peek())) {
        give_up();
      } else {
        copy(1);
      }
    }
    if (done()) {
      give_up();
    }
    copy(1);
  }

  void group() {
    if (starts("(*")) {
      give_up();
    }
    if (!starts("(?")) {
      return copy(1);
    }
    for (const std::string_view plain : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"}) {
      if (starts(plain)) {
        return copy(plain.size());
      }
    }
    options();
  }

  void close_group() {
    if (open_groups_.empty()) {
      give_up();
    }
    copy(1);
    item_ = open_groups_.back().begin;
    ignores_case_ = open_groups_.back().ignores_case;
    open_groups_.pop_back();
  }

  // (?im-im:...), and (?im-im) where it begins the pattern. Ruby's m lets the dot match a newline.
  void options() {
    std::string text = "(?";
    std::size_t length = 2;
    bool on = true;
    for (; peek(length) == 'i' || peek(length) == 'm' || peek(length) == '-'; ++length) {
      text += peek(length) == 'm' ? 's' : peek(length);
      on = on && peek(length) != '-';
      ignores_case_ = peek(length) == 'i' ? on : ignores_case_;
    }
    const char end = peek(length);
    // In the middle, Oniguruma lets it reach over the alternatives that follow, PCRE2 does not.
    if (end != ':' && !(end == ')' && at_ == 0)) {
      give_up();
    }
    if (end == ')') {
      open_groups_.pop_back();
    }
    out_ += text + end;
    at_ += length + 1;
  }

  // {n}, {n,}, {n,m}, {,m}; anything else is a literal brace. A '+' after it repeats the whole, and
  // so does a '?' after {n}: neither is a possessive or lazy mark as in PCRE2.
  void interval() {
    std::size_t length = 1;
    const auto number = [&] {
      const std::size_t start = length;
      while (is_digit(peek(length))) {
        ++length;
      }
      return std::string(pattern_.substr(at_ + start, length - start));
    };
    const std::string low = number();
    const bool range = peek(length) == ',';
    length += range ? 1 : 0;
    const std::string high = range ? number() : low;
    if (peek(length) != '}' || (low.empty() && high.empty())) {
      out_ += "\\{";
      at_ += 1;
      return;
    }
    at_ += length + 1;
    out_ += "{" + (low.empty() ? "0" : low) + (range ? "," + high : "") + "}";
    if (peek() == '+' || (peek() == '?' && !range)) {
      out_.insert(item_, "(?:");
      out_ += ")";
      copy(1);
    }
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  std::string out_;
  // Where in out_ the last repeatable item begins.
  std::size_t item_ = 0;
  bool ignores_case_ = false;
  struct Group {
    std::size_t begin;  // in out_
    bool ignores_case;  // outside of it
  };
  std::vector<Group> open_groups_;
};

}  // namespace

std::optional<std::string> oniguruma_to_pcre2(std::string_view pattern) {
  try {
    return Translator(pattern).run();
  } catch (const NoCounterpart&) {
    return std::nullopt;
  }
}

}  // namespace lmpo

#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/utf8.h"

namespace lmpo::jinja {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Line ends as \n, and without the one at the end of the file.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text += '\n';
      i += i + 1 < source.size() && source[i + 1] == '\n' ? 1 : 0;
    } else {
      text += source[i];
    }
  }
  if (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalized(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      const std::size_t tag = next_tag();
      read_data(tag);
      if (tag < source_.size()) {
        read_tag();
      }
    }
    add(Token::Kind::end, "");
    return std::move(tokens_);
  }

 private:
  void add(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), line_});
  }
  [[noreturn]] void refuse(const std::string& message) const { throw SyntaxError(line_, message); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool starts(std::string_view text) const { return source_.compare(at_, text.size(), text) == 0; }
  void advance(std::size_t end) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    if (end > at_) {
      line_starting_ = source_[end - 1] == '\n';
    }
    at_ = end;
  }
  void skip_space() {
    std::size_t end = at_;
    while (end < source_.size() && is_space(source_[end])) {
      ++end;
    }
    advance(end);
  }

  // The place of the next {{, {% or {#, or the end.
  std::size_t next_tag() const {
    for (std::size_t i = source_.find('{', at_); i != std::string::npos && i + 1 < source_.size();
         i = source_.find('{', i + 1)) {
      const char next = source_[i + 1];
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
    }
    return source_.size();
  }

  // The text before a tag, cut as the tag's sign and lstrip_blocks ask.
  void read_data(std::size_t tag) {
    std::string data = source_.substr(at_, tag - at_);
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    if (tag < source_.size() && sign == '-') {
      while (!data.empty() && is_space(data.back())) {
        data.pop_back();
      }
    } else if (tag < source_.size() && sign != '+' && source_[tag + 1] != '{') {
      const std::size_t newline = data.rfind('\n');
      const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
      if ((begin > 0 || line_starting_) &&
          std::all_of(data.begin() + static_cast<std::ptrdiff_t>(begin), data.end(), is_space)) {
        data.resize(begin);
      }
    }
    if (!data.empty()) {
      add(Token::Kind::data, std::move(data));
    }
    advance(tag);
  }

  void read_tag() {
    if (starts("{#")) {
      read_comment();
      return;
    }
    if (is_raw_tag("raw")) {
      read_raw();
      return;
    }
    const bool print = starts("{{");
    const std::string_view close = print ? "}}" : "%}";
    add(print ? Token::Kind::print_begin : Token::Kind::block_begin, "");
    advance(at_ + 2);
    if (peek() == '-' || (!print && peek() == '+')) {
      advance(at_ + 1);
    }
    read_expression(close);
    add(print ? Token::Kind::print_end : Token::Kind::block_end, "");
    read_close(close, !print);
  }

  // Past "-%}", "%}" or "+%}" and the white space it swallows.
  void read_close(std::string_view close, bool trims_newline) {
    const char sign = peek();
    if (sign == '-' || sign == '+') {
      advance(at_ + 1);
    }
    advance(at_ + close.size());
    if (sign == '-') {
      skip_space();
    } else if (trims_newline && sign != '+' && peek() == '\n') {
      advance(at_ + 1);
    }
  }

  bool at_close(std::string_view close) const {
    const bool signed_close = peek() == '-' || (peek() == '+' && close != "}}");
    return starts(close) || (signed_close && source_.compare(at_ + 1, close.size(), close) == 0);
  }

  void read_comment() {
    const std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string::npos) {
      refuse("a comment that begins here, {#, has no end #}");
    }
    const char before = end > at_ + 2 ? source_[end - 1] : ' ';
    advance(before == '-' || before == '+' ? end - 1 : end);
    read_close("#}", true);
  }

  // Whether {% NAME %} stands here.
  bool is_raw_tag(std::string_view name) const {
    if (!starts("{%")) {
      return false;
    }
    std::size_t i = at_ + 2;
    i += i < source_.size() && (source_[i] == '-' || source_[i] == '+') ? 1 : 0;
    while (i < source_.size() && is_space(source_[i])) {
      ++i;
    }
    if (source_.compare(i, name.size(), name) != 0) {
      return false;
    }
    i += name.size();
    while (i < source_.size() && is_space(source_[i])) {
      ++i;
    }
    const bool may_keep = name != "raw";  // jinja2 knows no {% raw +%}
    i += i < source_.size() && (source_[i] == '-' || (may_keep && source_[i] == '+')) ? 1 : 0;
    return source_.compare(i, 2, "%}") == 0;
  }

  void skip_raw_tag(bool trims_newline) {
    std::size_t close = source_.find("%}", at_);
    close -= source_[close - 1] == '-' || source_[close - 1] == '+' ? 1 : 0;
    advance(close);
    read_close("%}", trims_newline);
  }

  void read_raw() {
    const int begin_line = line_;
    skip_raw_tag(false);  // jinja2 keeps the line end after this tag, unlike after all others
    std::size_t tag = source_.find("{%", at_);
    const std::size_t begin = at_;
    while (tag != std::string::npos) {
      const std::size_t held = at_;
      at_ = tag;
      const bool ends = is_raw_tag("endraw");
      at_ = held;
      if (ends) {
        break;
      }
      tag = source_.find("{%", tag + 2);
    }
    if (tag == std::string::npos) {
      throw SyntaxError(begin_line, "'raw' has no 'endraw'");
    }
    at_ = begin;
    read_data(tag);
    skip_raw_tag(true);
  }

  // Tokens up to the tag's end, which brackets hide: {{ {"a": {}} }}.
  void read_expression(std::string_view close) {
    std::vector<char> open;
    while (true) {
      skip_space();
      if (at_ >= source_.size()) {
        refuse(fmt::format("a tag has no end '{}'", close));
      }
      if (open.empty() && at_close(close)) {
        return;
      }
      read_token(open);
    }
  }

  void read_token(std::vector<char>& open) {
    const char c = peek();
    if (is_name_start(c)) {
      std::size_t end = at_;
      while (end < source_.size() && (is_name_start(source_[end]) || is_digit(source_[end]))) {
        ++end;
      }
      add(Token::Kind::name, source_.substr(at_, end - at_));
      advance(end);
    } else if (is_digit(c)) {
      read_number();
    } else if (c == '"' || c == '\'') {
      read_string(c);
    } else {
      read_sign(open);
    }
  }

  void read_number() {
    std::size_t end = at_;
    bool floating = false;
    if (const char letter = static_cast<char>(peek(1) | 0x20);
        peek() == '0' && (letter == 'x' || letter == 'o' || letter == 'b')) {
      end += 2;
      while (
          end < source_.size() &&
          (std::isxdigit(static_cast<unsigned char>(source_[end])) != 0 || source_[end] == '_')) {
        ++end;
      }
      std::string digits = source_.substr(at_, end - at_);
      std::erase(digits, '_');
      add(Token::Kind::integer, std::move(digits));
      advance(end);
      return;
    }
    const auto digits = [&] {
      while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '_')) {
        ++end;
      }
    };
    digits();
    if (end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) {
      floating = true;
      ++end;
      digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      std::size_t exponent = end + 1;
      exponent +=
          exponent < source_.size() && (source_[exponent] == '-' || source_[exponent] == '+');
      if (exponent < source_.size() && is_digit(source_[exponent])) {
        floating = true;
        end = exponent;
        digits();
      }
    }
    std::string text = source_.substr(at_, end - at_);
    std::erase(text, '_');
    add(floating ? Token::Kind::floating : Token::Kind::integer, std::move(text));
    advance(end);
  }

  void read_string(char quote) {
    std::string text;
    std::size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] == '\\' && i + 1 < source_.size()) {
        i = unescape(i + 1, text);
      } else {
        text += source_[i];
      }
    }
    if (i >= source_.size()) {
      refuse("a string has no end");
    }
    add(Token::Kind::text, std::move(text));
    advance(i + 1);
  }

  // Appends what the escape at source_[i] means; returns the place of its last character.
  std::size_t unescape(std::size_t i, std::string& text) const {
    static constexpr std::string_view names = "ntrabfv\\'\"";
    static constexpr std::string_view meanings = "\n\t\r\a\b\f\v\\'\"";
    const char c = source_[i];
    if (const std::size_t known = names.find(c); known != std::string_view::npos) {
      text += meanings[known];
      return i;
    }
    if (c == '\n') {
      return i;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > 0 && i + digits < source_.size()) {
      std::uint32_t code = 0;
      const char* first = source_.data() + i + 1;
      const auto parsed = std::from_chars(first, first + digits, code, 16);
      if (parsed.ptr == first + digits && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF)) {
        append_utf8(text, code);
        return i + digits;
      }
      refuse(fmt::format(
          "the escape '\\{}' is not followed by {} hexadecimal digits of a character", c, digits));
    }
    text += '\\';
    text += c;
    return i;
  }

  void read_sign(std::vector<char>& open) {
    static constexpr std::array<std::string_view, 28> signs = {
        "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", ">", "<",
        "=",  "(",  ")",  "[",  "]",  "{",  "}", ".", ",", ":", "|", ";", "!", "&"};
    for (const std::string_view sign : signs) {
      if (!starts(sign)) {
        continue;
      }
      const char c = sign[0];
      if (c == '(' || c == '[' || c == '{') {
        open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
      } else if (c == ')' || c == ']' || c == '}') {
        if (open.empty() || open.back() != c) {
          refuse(fmt::format("unexpected '{}'", c));
        }
        open.pop_back();
      }
      add(Token::Kind::sign, std::string(sign));
      advance(at_ + sign.size());
      return;
    }
    refuse(fmt::format("unexpected character '{}'", source_.substr(at_, utf8_size(peek()))));
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // what was read last ended with a line end
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize_template(std::string_view source) {
  constexpr std::size_t kLongestTemplate = std::size_t{4} << 20;
  if (source.size() > kLongestTemplate) {
    throw SyntaxError(1, fmt::format("a template of {} bytes is too long: the limit is {}",
                                     source.size(), kLongestTemplate));
  }
  if (!is_valid_utf8(source)) {
    throw SyntaxError(1, "the template is not valid UTF-8");
  }
  return Lexer(source).run();
}

}  // namespace lmpo::jinja

// UTF-8, as far as tokenizers and templates need it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lmpo {

// A half-open range of bytes.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  std::string_view of(std::string_view text) const { return text.substr(begin, size()); }
};

// The bytes of the character that starts with `lead`, in valid UTF-8.
inline std::size_t utf8_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// The first character of a text that is valid and not empty.
char32_t first_code_point(std::string_view text);
// The beginning of the last character of text[0, end), which is valid and not empty.
std::size_t previous_character(std::string_view text, std::size_t end);
void append_utf8(std::string& text, char32_t code_point);

bool is_valid_utf8(std::string_view text);
// Every maximal ill-formed part becomes one U+FFFD (Unicode 15, section 3.9).
std::string replace_invalid_utf8(std::string_view text);

// Text that a terminal can only show: control characters, those that turn the direction of writing
// and separators of lines become "\x1b", "\t", "\u202e"; what is not UTF-8 becomes U+FFFD. Line
// ends
// ("\n") stay where they are asked for.
enum class LineEnds { keep, escape };
std::string printable(std::string_view text, LineEnds line_ends);

// Unicode's White_Space property.
bool is_white_space(char32_t code_point);

}  // namespace lmpo

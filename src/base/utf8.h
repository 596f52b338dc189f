// UTF-8 text.
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

// The number of bytes of the character whose first byte is `lead`, in valid UTF-8.
inline std::size_t utf8_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// The first character of a text, which must be valid and not empty.
char32_t first_code_point(std::string_view text);
// Where the last character of text[0, end) begins. The text must be valid and not empty.
std::size_t previous_character(std::string_view text, std::size_t end);
void append_utf8(std::string& text, char32_t code_point);

// U+FFFD, which stands for what is no character.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

bool is_valid_utf8(std::string_view text);
// Replaces every maximal ill-formed part by one U+FFFD (Unicode 15, section 3.9).
std::string replace_invalid_utf8(std::string_view text);

// Text that is safe to print on a terminal. Control characters, characters that change the
// direction of writing and line separators are written as "\x1b", "\t", "\u202e"; invalid UTF-8
// becomes U+FFFD. Line ends ("\n") are kept or escaped, as the caller asks: a log keeps them, a
// table does not.
enum class LineEnds { keep, escape };
std::string printable(std::string_view text, LineEnds line_ends);

// Unicode's White_Space property.
bool is_white_space(char32_t code_point);

}  // namespace lmpo

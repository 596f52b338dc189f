#include "text/byte_level.h"

#include <charconv>

#include "base/utf8.h"

namespace lmpo {
namespace {

struct Alphabet {
  std::array<std::string, 256> characters;
  // All stand-ins lie below 256 + 68; -1 where a code point is none.
  std::array<int, 324> bytes;

  Alphabet() {
    bytes.fill(-1);
    char32_t next = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      const char32_t character = printable ? byte : next++;
      append_utf8(characters[byte], character);
      bytes[character] = static_cast<int>(byte);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet only;
  return only;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() {
  return alphabet().characters;
}

void append_stand_ins(std::string_view bytes, std::string& text) {
  constexpr std::size_t longest = 2;
  std::size_t end = text.size();
  text.resize(end + longest * bytes.size());
  for (const char byte : bytes) {
    const std::string& character = alphabet().characters[static_cast<unsigned char>(byte)];
    text[end] = character[0];
    // Of a stand-in of one byte this writes its final zero, which the next one overwrites.
    text[end + 1] = character[1];
    end += character.size();
  }
  text.resize(end);
}

std::string stand_ins(std::string_view bytes) {
  std::string text;
  append_stand_ins(bytes, text);
  return text;
}

std::optional<unsigned char> byte_of_character(char32_t character) {
  if (character >= alphabet().bytes.size() || alphabet().bytes[character] < 0) {
    return std::nullopt;
  }
  return static_cast<unsigned char>(alphabet().bytes[character]);
}

std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) {
    return std::nullopt;
  }
  unsigned byte = 0;
  const char* digits = token.data() + 3;
  const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
  return error == std::errc() && end == digits + 2 ? std::optional(static_cast<char>(byte))
                                                   : std::nullopt;
}

}  // namespace lmpo

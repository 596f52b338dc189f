// How vocabularies write bytes: as SentencePiece does, or by stand-ins.
//
// GPT-2's printable stand-ins for the 256 bytes: a printable Latin-1 character for itself, the
// others in their order from U+0100 on (Radford et al., 2019).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace lmpo {

// The stand-in of each byte, as UTF-8.
const std::array<std::string, 256>& byte_characters();
// The stand-ins of all bytes of a text, one after another.
void append_stand_ins(std::string_view bytes, std::string& text);
std::string stand_ins(std::string_view bytes);
std::optional<unsigned char> byte_of_character(char32_t character);
// The byte that a token like <0x0A> stands for in vocabularies of SentencePiece.
std::optional<char> fallback_byte(std::string_view token);

}  // namespace lmpo

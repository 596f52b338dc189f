#include "serve/token_bytes.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/utf8.h"
#include "text/byte_level.h"

namespace lmpo {
namespace {

// Of a vocabulary that writes bytes as GPT-2 does; nothing if a character stands for none.
std::optional<std::string> byte_level_bytes(std::string_view token) {
  std::string bytes;
  for (std::size_t at = 0; at < token.size(); at += utf8_size(token[at])) {
    const auto byte = byte_of_character(first_code_point(token.substr(at)));
    if (!byte) {
      return std::nullopt;
    }
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

}  // namespace

std::string token_bytes(const Tokenizer& tokenizer, const TokenId* before, TokenId token) {
  const std::string_view name = tokenizer.token(token);
  std::string alone = tokenizer.decode(std::array{token}, false);
  if (alone.find(kReplacementCharacter) != std::string::npos || !is_valid_utf8(alone)) {
    if (const auto byte = fallback_byte(name)) {
      return {*byte};
    }
    if (const auto bytes = is_valid_utf8(name) ? byte_level_bytes(name) : std::nullopt) {
      return *bytes;
    }
    return alone;
  }
  if (before == nullptr) {
    return alone;
  }
  // The space before a word is seen only behind another token.
  const std::string first = tokenizer.decode(std::array{*before}, false);
  const std::string both = tokenizer.decode(std::array{*before, token}, false);
  return both.starts_with(first) ? both.substr(first.size()) : alone;
}

std::string token_text(std::string_view bytes) {
  if (is_valid_utf8(bytes)) {
    return std::string(bytes);
  }
  std::string text = "bytes:";
  for (const char byte : bytes) {
    text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

}  // namespace lmpo

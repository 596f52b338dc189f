// The bytes of a single token.
#pragma once

#include <string>

#include "text/tokenizer.h"

namespace lmpo {

// What the token adds to a text that ends with the token `before` (none: that begins with it), as
// bytes: a token may hold a part of a character. Special tokens are the text that stands for them.
std::string token_bytes(const Tokenizer& tokenizer, const TokenId* before, TokenId token);

// A token as OpenAI writes it: its text, or "bytes:\xe2\x80" for a part of a character.
std::string token_text(std::string_view bytes);

}  // namespace lmpo

// Turns tokens, one by one, into text that can be shown at once.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace lmpo {

// The returned texts, joined, are the text of all tokens without the special ones. Not thread-safe.
class TokenText {
 public:
  explicit TokenText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The text that the token adds; "" where it ends within a character, whose bytes are held back.
  std::string add(TokenId token);
  // What is still held back: bytes that never became a character, as U+FFFD.
  std::string finish();

 private:
  std::string added(bool last);

  const Tokenizer& tokenizer_;
  // The tokens since the last time but one that text was handed out: how tokens are joined depends
  // on those before them.
  std::vector<TokenId> tokens_;
  std::size_t shown_ = 0;  // of these, those whose text was handed out
};

}  // namespace lmpo

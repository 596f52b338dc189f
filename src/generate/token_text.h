// Turns tokens into text, one by one, for display while they are generated.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/tokenizer.h"

namespace lmpo {

// The returned pieces, joined, are the text of all tokens without special tokens. Not thread-safe.
class TokenText {
 public:
  // `shown`: special tokens that stay in the text.
  explicit TokenText(const Tokenizer& tokenizer, std::vector<TokenId> shown = {})
      : tokenizer_(tokenizer), special_(std::move(shown)) {}

  // The text that the token adds. The bytes of an incomplete character are kept for the next call.
  std::string add(TokenId token);
  // The kept bytes, which never became a character, as U+FFFD.
  std::string finish();

 private:
  std::string added(bool last);

  const Tokenizer& tokenizer_;
  std::vector<TokenId> special_;  // that are shown
  // The tokens since the second last piece: how tokens are joined depends on those before them.
  std::vector<TokenId> tokens_;
  std::size_t shown_ = 0;  // how many of these have been returned as text
};

}  // namespace lmpo

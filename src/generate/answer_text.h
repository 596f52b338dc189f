// The text of an answer as its tokens come, up to a stop string.
#pragma once

#include <string>
#include <vector>

#include "generate/token_text.h"

namespace lmpo {

// A stop string may begin in one token and end in another, and in the middle of both. Not
// thread-safe.
class AnswerText {
 public:
  // Empty stop strings are left out. `shown`: special tokens that stay in the text. The tokenizer
  // must outlive this.
  AnswerText(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
             std::vector<TokenId> shown = {});

  // The text that is certain with this token: neither an incomplete character nor what a stop string
  // may begin with. "" once stopped.
  std::string add(TokenId token);
  // The rest, at the end of the answer.
  std::string finish();
  // A token has completed a stop string. The text ends before it.
  bool stopped() const { return stopped_; }

 private:
  // What of the waiting text is certain.
  std::string certain();

  TokenText text_;
  std::vector<std::string> stop_strings_;
  std::string waiting_;
  bool stopped_ = false;
};

}  // namespace lmpo

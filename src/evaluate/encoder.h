// Requests as tokens. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/registry.h"
#include "text/tokenizer.h"
#include "tree/tree.h"

namespace lmpo {

class Encoder {
 public:
  // max_length: tokens that the model reads at a time. The tokenizer must outlive it.
  Encoder(const Tokenizer& tokenizer, std::int64_t max_length, Harness harness);

  // A choice after its context. White space at the context's end counts to the choice; both are
  // encoded together. What is too long loses the beginning of its context. UserError where the choice
  // has no tokens or is itself too long: `place` names it.
  Sequence choice(std::string_view context, std::string_view continuation, std::string_view place);
  // A whole text in windows: the first after the model's first token, each of the others after as
  // much of the text as there is room for. UserError where the text has no tokens.
  std::vector<Sequence> text(std::string_view text, std::string_view place) const;
  // A prompt with room for an answer. UserError where the model has no room for so long an answer.
  std::vector<TokenId> prompt(std::string_view context, std::int64_t max_new_tokens,
                              std::string_view place);

  // Requests whose beginning was cut off, so far.
  std::int64_t truncated() const { return truncated_; }

 private:
  std::vector<TokenId> encode(std::string_view text) const;

  const Tokenizer& tokenizer_;
  std::int64_t max_length_;
  Harness harness_;
  TokenId first_token_;  // stands before a text: BOS, else EOS
  std::string first_text_;
  std::int64_t truncated_ = 0;
  // The last context: choices share it.
  std::string context_;
  std::size_t context_tokens_ = 0;
};

}  // namespace lmpo

// One answer as it grows: tokens become text, and their log-probabilities what clients read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generate/answer_text.h"
#include "generate/engine.h"
#include "serve/answer_settings.h"

namespace lmpo {

// A token that could stand at one place of a text.
struct LikelyToken {
  std::string bytes;
  double logp = 0;
};

// The token that does, and those that could.
struct TokenReport {
  std::string bytes;
  double logp = 0;  // NaN: not known
  std::vector<LikelyToken> top;
  std::int64_t offset = 0;  // characters of the text before it
};

class GrowingAnswer {
 public:
  // What of the answer is reported token by token.
  struct Reports {
    bool wanted = false;
    bool end_token = false;   // the token that ends the answer, too
    std::int64_t offset = 0;  // characters before the answer
  };
  // `prompt`: its last token says how the answer's first is joined to it. The tokenizer must outlive
  // this.
  GrowingAnswer(const Tokenizer& tokenizer, std::span<const std::int32_t> prompt,
                const AnswerSettings& settings, Reports reports);

  // Takes what the engine says of it. Events after the end change nothing.
  void take(const EngineEvent& event);
  bool ended() const { return finish_reason_ != nullptr; }
  // The engine may still be going on with it: a stop text has come.
  bool stopped_by_text() const { return text_.stopped(); }
  // "stop" or "length"; null before the end.
  const char* finish_reason() const { return finish_reason_; }
  std::int64_t new_tokens() const { return new_tokens_; }
  std::int64_t reused_tokens() const { return reused_tokens_; }

  // What came since the last call.
  std::string take_text() { return std::exchange(fresh_text_, ""); }
  std::vector<TokenReport> take_reports() { return std::exchange(fresh_reports_, {}); }
  // The prompt's tokens, from the first on, as echo shows them. After the first event.
  const std::vector<ScoredToken>& prompt_tokens() const { return prompt_; }

 private:
  void add_report(const ScoredToken& token);

  const Tokenizer& tokenizer_;
  AnswerText text_;
  Reports reports_;
  std::int32_t before_;  // the last token
  std::string fresh_text_;
  std::vector<TokenReport> fresh_reports_;
  std::vector<ScoredToken> prompt_;
  std::int64_t new_tokens_ = 0;
  std::int64_t reused_tokens_ = 0;
  const char* finish_reason_ = nullptr;
};

// The token after `before` (null: the first of a text), and those that could stand there.
TokenReport report_token(const Tokenizer& tokenizer, const TokenId* before,
                         const ScoredToken& token, std::int64_t offset);
// How many characters begin in these bytes.
std::int64_t characters_of(std::string_view bytes);

}  // namespace lmpo

#include "serve/growing_answer.h"

#include <algorithm>

#include "serve/token_bytes.h"

namespace lmpo {
namespace {

const char* name_of_end(RequestEnd end) {
  return end == RequestEnd::stop ? "stop" : "length";
}

}  // namespace

std::int64_t characters_of(std::string_view bytes) {
  return std::ranges::count_if(
      bytes, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
}

TokenReport report_token(const Tokenizer& tokenizer, const TokenId* before,
                         const ScoredToken& token, std::int64_t offset) {
  TokenReport report = {.bytes = token_bytes(tokenizer, before, token.token),
                        .logp = token.logp,
                        .top = {},
                        .offset = offset};
  for (const TokenLogp& each : token.top) {
    report.top.push_back({token_bytes(tokenizer, before, each.token), each.logp});
  }
  return report;
}

GrowingAnswer::GrowingAnswer(const Tokenizer& tokenizer, std::span<const std::int32_t> prompt,
                             const AnswerSettings& settings, Reports reports)
    : tokenizer_(tokenizer),
      text_(tokenizer, settings.stop, settings.shown_tokens),
      reports_(reports),
      before_(prompt.back()) {}

void GrowingAnswer::take(const EngineEvent& event) {
  if (ended()) {
    return;
  }
  if (!event.prompt.empty()) {
    prompt_ = event.prompt;
  }
  reused_tokens_ = event.reused_tokens.value_or(reused_tokens_);
  const bool is_end_token = event.end == RequestEnd::stop;
  if (event.token) {
    ++new_tokens_;
    if (!is_end_token) {
      fresh_text_ += text_.add(event.token->token);
    }
    if (reports_.wanted && (!is_end_token || reports_.end_token)) {
      add_report(*event.token);
    }
  }
  if (event.end || text_.stopped()) {
    fresh_text_ += text_.finish();
    finish_reason_ = text_.stopped() ? "stop" : name_of_end(*event.end);
  }
}

void GrowingAnswer::add_report(const ScoredToken& token) {
  fresh_reports_.push_back(report_token(tokenizer_, &before_, token, reports_.offset));
  reports_.offset += characters_of(fresh_reports_.back().bytes);
  before_ = token.token;
}

}  // namespace lmpo

#include "evaluate/encoder.h"

#include <algorithm>

#include "base/error.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

TokenId first_token_of(const Tokenizer& tokenizer) {
  if (const auto bos = tokenizer.bos_id()) {
    return *bos;
  }
  return tokenizer.eos_id().value_or(0);
}

}  // namespace

Encoder::Encoder(const Tokenizer& tokenizer, std::int64_t max_length, Harness harness)
    : tokenizer_(tokenizer),
      max_length_(max_length),
      harness_(harness),
      first_token_(first_token_of(tokenizer)),
      first_text_(tokenizer.decode(std::vector{first_token_}, false)) {}

// A chat template writes BOS itself. In June 2023 no text got one.
std::vector<TokenId> Encoder::encode(std::string_view text) const {
  const bool has_it = !first_text_.empty() && text.starts_with(first_text_);
  return tokenizer_.encode(text, harness_ == Harness::current && !has_it);
}

Sequence Encoder::choice(std::string_view context, std::string_view continuation,
                         std::string_view place) {
  std::vector<TokenId> tokens;
  std::size_t begin = 1;
  if (context.empty()) {
    tokens = tokenizer_.encode(continuation, false);
    if (tokens.empty() || tokens.front() != first_token_) {
      tokens.insert(tokens.begin(), first_token_);
    }
  } else {
    const std::string end_stripped = jinja::strip(context, {}, false, true);
    if (end_stripped != context_) {
      context_ = end_stripped;
      context_tokens_ = encode(context_).size();
    }
    tokens = encode(std::string(context) + std::string(continuation));
    begin = context_tokens_;
  }
  if (begin == 0 || begin >= tokens.size()) {
    user_error("{}: '{}' has no tokens of its own after the prompt", place, continuation);
  }
  const std::size_t most = static_cast<std::size_t>(max_length_) + 1;
  if (tokens.size() - begin > most - 1) {
    user_error("{}: a choice of {} tokens does not fit into the model's context of {}", place,
               tokens.size() - begin, max_length_);
  }
  if (tokens.size() > most) {
    const std::size_t cut = tokens.size() - most;
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(cut));
    begin -= cut;
    ++truncated_;
  }
  return {.tokens = std::move(tokens), .scored_begin = static_cast<std::int32_t>(begin)};
}

std::vector<Sequence> Encoder::text(std::string_view text, std::string_view place) const {
  std::vector<TokenId> tokens = encode(text);
  if (tokens.empty()) {
    user_error("{}: the text has no tokens", place);
  }
  tokens.insert(tokens.begin(), first_token_);
  const std::int64_t count = std::ssize(tokens);
  std::vector<Sequence> windows;
  for (std::int64_t scored = 1; scored < count;) {
    const std::int64_t end = std::min(count, scored + max_length_);
    const std::int64_t begin = std::max<std::int64_t>(0, end - max_length_ - 1);
    windows.push_back({.tokens = std::vector(tokens.begin() + begin, tokens.begin() + end),
                       .scored_begin = static_cast<std::int32_t>(scored - begin)});
    scored = end;
  }
  return windows;
}

std::vector<TokenId> Encoder::prompt(std::string_view context, std::int64_t max_new_tokens,
                                     std::string_view place) {
  const std::int64_t room = max_length_ - max_new_tokens;
  if (room < 1) {
    user_error("{}: an answer of {} tokens does not fit into the model's context of {}", place,
               max_new_tokens, max_length_);
  }
  std::vector<TokenId> tokens = encode(context);
  if (tokens.empty()) {
    user_error("{}: the prompt has no tokens", place);
  }
  if (std::ssize(tokens) > room) {
    tokens.erase(tokens.begin(), tokens.end() - room);
    ++truncated_;
  }
  return tokens;
}

}  // namespace lmpo

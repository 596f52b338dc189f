// Chooses the next token from logits. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/random.h"

namespace lmpo {

struct SamplingOptions {
  double temperature = 1.0;  // 0: greedy
  std::int64_t top_k = 0;    // 0: all tokens
  double top_p = 1.0;        // the likeliest tokens whose total probability reaches this
  double min_p = 0;          // tokens at least this part as likely as the likeliest
  double typical_p = 1.0;    // locally typical tokens of this total probability
  double repetition_penalty = 1.0;
  double presence_penalty = 0;
  double frequency_penalty = 0;
  std::vector<std::pair<std::int32_t, float>> logit_bias = {};  // added to these tokens' logits
};

// What the penalties look back at.
struct SpokenTokens {
  std::span<const std::int32_t> prompt;
  std::span<const std::int32_t> answer;
};

// Applies penalties and biases to the logits, in place. The repetition penalty (Keskar et al. 2019)
// is over prompt and answer: a positive logit is divided by it, a negative one multiplied. Presence
// and frequency penalties are OpenAI's, over the answer: the first is subtracted from each token that
// occurs, the second as many times as it occurs. Biases come last.
void adjust_logits(std::span<float> logits, const SamplingOptions& options,
                   const SpokenTokens& spoken);
// The id of a token; `logits` has one number per token, not NaN, at least one of them finite.
//
// Temperature 0 takes the largest logit; of equal logits, the smallest id. It uses no random number.
// Any other temperature follows the order of transformers: divide by the temperature, keep the top_k
// (exactly k; of equal logits, the smallest ids), keep the smallest set of likeliest tokens whose
// share of the rest reaches top_p (at least one token), keep what min_p allows, keep the smallest set
// of most typical tokens (Meister et al. 2023: those whose information is nearest to the entropy)
// whose share of the rest reaches typical_p, draw. It uses one number of `random`.
std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random);

// The token that follows what was spoken: adjust_logits on a copy, then sample_token.
std::int32_t choose_token(std::span<const float> logits, const SamplingOptions& options,
                          const SpokenTokens& spoken, Random& random);

}  // namespace lmpo

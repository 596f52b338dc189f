// Chooses the next token from logits. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"

namespace lmpo {

struct SamplingOptions {
  double temperature = 1.0;  // 0: greedy
  std::int64_t top_k = 0;    // 0: all tokens
  double top_p = 1.0;        // the likeliest tokens whose total probability reaches this
};

// The id of a token; `logits` has one finite number per token and is not empty.
//
// Temperature 0 takes the largest logit; of equal logits, the smallest id. It uses no random number.
// Any other temperature follows the order of transformers: divide by the temperature, keep the top_k
// (exactly k; of equal logits, the smallest ids), keep the smallest set of likeliest tokens whose
// share of the rest reaches top_p (at least one token), draw. It uses one number of `random`.
std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random);

}  // namespace lmpo

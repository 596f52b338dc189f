// From logits to a token.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"

namespace lmpo {

struct SamplingOptions {
  double temperature = 1.0;  // 0 is greedy
  std::int64_t top_k = 0;    // 0 keeps all
  double top_p = 1.0;  // keep the likeliest tokens until their mass reaches top_p; at least one
};

// Greedy: the largest logit, the smallest id among equals. Otherwise, as transformers orders it:
// divide by the temperature, keep the top_k (exactly k: the smallest ids among equals), keep the
// nucleus top_p of what is left, draw. Takes one uniform number of `random`, and none when greedy.
// Logits are finite, and at least one.
std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random);

}  // namespace lmpo

// Log-probabilities from logits. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/engine.h"

namespace lmpo {

// Of tokens, each with the `top` likeliest, under the softmax of the logits, in double.
std::vector<ScoredToken> score_tokens(std::span<const float> logits,
                                      std::span<const std::int32_t> tokens, std::int64_t top);
// Of one.
ScoredToken score_token(std::span<const float> logits, std::int32_t token, std::int64_t top);

}  // namespace lmpo

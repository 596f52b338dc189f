// Log-probabilities from logits. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "generate/engine.h"

namespace lmpo {

// Of a token and of the `top` likeliest under the softmax of the logits, in double.
ScoredToken score_token(std::span<const float> logits, std::int32_t token, std::int64_t top);

}  // namespace lmpo

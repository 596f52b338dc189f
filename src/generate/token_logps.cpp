#include "generate/token_logps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lmpo {

std::vector<ScoredToken> score_tokens(std::span<const float> logits,
                                      std::span<const std::int32_t> tokens, std::int64_t top) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit) - largest);
  }
  const double log_sum = largest + std::log(sum);
  const auto logp = [&](std::int32_t id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]) - log_sum;
  };
  std::vector<std::int32_t> ids(top > 0 ? logits.size() : 0);
  std::iota(ids.begin(), ids.end(), 0);
  const auto count = std::min(static_cast<std::size_t>(std::max<std::int64_t>(top, 0)), ids.size());
  std::ranges::partial_sort(ids, ids.begin() + static_cast<std::ptrdiff_t>(count),
                            [&](std::int32_t a, std::int32_t b) {
                              const float logit_a = logits[static_cast<std::size_t>(a)];
                              const float logit_b = logits[static_cast<std::size_t>(b)];
                              return logit_a != logit_b ? logit_a > logit_b : a < b;
                            });
  std::vector<ScoredToken> scored;
  for (const std::int32_t token : tokens) {
    ScoredToken& one = scored.emplace_back(ScoredToken{.token = token, .logp = logp(token)});
    for (std::size_t i = 0; i < count; ++i) {
      one.top.push_back({ids[i], logp(ids[i])});
    }
  }
  return scored;
}

ScoredToken score_token(std::span<const float> logits, std::int32_t token, std::int64_t top) {
  return std::move(score_tokens(logits, {&token, 1}, top).front());
}

}  // namespace lmpo

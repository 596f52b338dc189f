#include "generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace lmpo {
namespace {

struct Candidate {
  double weight;  // exp((logit - largest logit) / temperature), not normalized
  std::int32_t token;
};

// The order: the likeliest first; equal weights by id.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
}

double mass(const std::vector<Candidate>& candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) {
    total += candidate.weight;
  }
  return total;
}

void keep_top_k(std::vector<Candidate>& candidates, std::int64_t top_k) {
  if (top_k <= 0 || top_k >= static_cast<std::int64_t>(candidates.size())) {
    return;
  }
  std::nth_element(candidates.begin(), candidates.begin() + top_k, candidates.end(), likelier);
  candidates.resize(static_cast<std::size_t>(top_k));
}

void keep_nucleus(std::vector<Candidate>& candidates, double top_p) {
  if (top_p >= 1.0) {
    return;
  }
  // A heap gives the likeliest one by one. The nucleus is usually a small part of the vocabulary, so
  // this is faster than sorting.
  const auto less_likely = [](const Candidate& a, const Candidate& b) { return likelier(b, a); };
  const double enough = top_p * mass(candidates);
  std::make_heap(candidates.begin(), candidates.end(), less_likely);
  auto nucleus = candidates.end();  // the nucleus so far lies behind the heap
  double reached = 0;
  do {
    std::pop_heap(candidates.begin(), nucleus, less_likely);
    --nucleus;
    reached += nucleus->weight;
  } while (reached < enough && nucleus != candidates.begin());
  candidates.erase(candidates.begin(), nucleus);
}

// Adds up weights in the order of ids. A rounding error may swap two candidates of nearly equal weight
// in the order of weights; here it does not change the token drawn.
std::int32_t draw_token(std::vector<Candidate>& candidates, Random& random) {
  std::ranges::sort(candidates,
                    [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
  double left = random.uniform() * mass(candidates);
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) {
      return candidate.token;
    }
  }
  return std::ranges::min_element(candidates, likelier)->token;
}

}  // namespace

std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random) {
  LMPO_CHECK(!logits.empty());
  const auto best = std::ranges::max_element(logits);
  if (options.temperature <= 0) {
    return static_cast<std::int32_t>(best - logits.begin());
  }
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (const float logit : logits) {
    const double shifted = static_cast<double>(logit) - static_cast<double>(*best);
    candidates.push_back(
        {std::exp(shifted / options.temperature), static_cast<std::int32_t>(candidates.size())});
  }
  keep_top_k(candidates, options.top_k);
  keep_nucleus(candidates, options.top_p);
  return draw_token(candidates, random);
}

}  // namespace lmpo

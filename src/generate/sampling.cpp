#include "generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lmpo {
namespace {

struct Candidate {
  double weight;  // exp(logit / temperature - the largest), not normalised
  std::int32_t token;
};

// Likeliest first; equals in order of id.
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
  std::sort(candidates.begin(), candidates.end(), likelier);
  const double enough = top_p * mass(candidates);
  double reached = 0;
  std::size_t kept = 0;
  while (kept < candidates.size() && (kept == 0 || reached < enough)) {
    reached += candidates[kept++].weight;
  }
  candidates.resize(kept);
}

}  // namespace

std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random) {
  const auto best = std::max_element(logits.begin(), logits.end());
  const auto best_token = static_cast<std::int32_t>(best - logits.begin());
  if (options.temperature <= 0) {
    return best_token;
  }
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (std::size_t token = 0; token < logits.size(); ++token) {
    const double shifted = (static_cast<double>(logits[token]) - static_cast<double>(*best));
    candidates.push_back(
        {std::exp(shifted / options.temperature), static_cast<std::int32_t>(token)});
  }
  keep_top_k(candidates, options.top_k);
  keep_nucleus(candidates, options.top_p);
  double draw = random.uniform() * mass(candidates);
  for (const Candidate& candidate : candidates) {
    draw -= candidate.weight;
    if (draw < 0) {
      return candidate.token;
    }
  }
  return best_token;
}

}  // namespace lmpo

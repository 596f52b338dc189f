#include "generate/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "base/error.h"
#include "ops/cpu/elements.h"

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

void keep_likely(std::vector<Candidate>& candidates, double min_p) {
  if (min_p <= 0) {
    return;
  }
  const double largest = std::ranges::min_element(candidates, likelier)->weight;
  std::erase_if(candidates,
                [&](const Candidate& candidate) { return candidate.weight < min_p * largest; });
}

// Information is -ln p; its mean is the entropy.
void keep_typical(std::vector<Candidate>& candidates, double typical_p) {
  if (typical_p >= 1.0) {
    return;
  }
  const double total = mass(candidates);
  const auto information = [&](const Candidate& candidate) {
    return candidate.weight > 0 ? std::log(total / candidate.weight) : 0.0;
  };
  double entropy = 0;
  for (const Candidate& candidate : candidates) {
    entropy += candidate.weight / total * information(candidate);
  }
  const auto distance = [&](const Candidate& candidate) {
    return candidate.weight > 0 ? std::abs(information(candidate) - entropy)
                                : std::numeric_limits<double>::infinity();
  };
  std::ranges::sort(candidates, [&](const Candidate& a, const Candidate& b) {
    const double distance_a = distance(a);
    const double distance_b = distance(b);
    return distance_a != distance_b ? distance_a < distance_b : likelier(a, b);
  });
  double reached = 0;
  std::size_t count = 0;
  while (count < candidates.size() && (count == 0 || reached < typical_p * total)) {
    reached += candidates[count++].weight;
  }
  candidates.resize(count);
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

// The first of the largest.
std::span<const float>::iterator likeliest(std::span<const float> logits) {
  constexpr std::size_t kBlock = 1024;
  std::span<const float> best = logits.first(std::min(kBlock, logits.size()));
  float most = cpu::largest(best.data(), std::ssize(best));
  for (std::size_t begin = kBlock; begin < logits.size(); begin += kBlock) {
    const auto block = logits.subspan(begin, std::min(kBlock, logits.size() - begin));
    const float of_block = cpu::largest(block.data(), std::ssize(block));
    if (of_block > most) {
      most = of_block;
      best = block;
    }
  }
  const auto in_block = std::ranges::max_element(best) - best.begin();
  return logits.begin() + (best.data() - logits.data()) + in_block;
}

// Whether adjust_logits changes anything.
bool adjusts(const SamplingOptions& options) {
  return options.repetition_penalty != 1.0 || options.presence_penalty != 0 ||
         options.frequency_penalty != 0 || !options.logit_bias.empty();
}

}  // namespace

void adjust_logits(std::span<float> logits, const SamplingOptions& options,
                   const SpokenTokens& spoken) {
  if (options.repetition_penalty != 1.0) {
    std::set<std::int32_t> seen(spoken.prompt.begin(), spoken.prompt.end());
    seen.insert(spoken.answer.begin(), spoken.answer.end());
    const auto penalty = static_cast<float>(options.repetition_penalty);
    for (const std::int32_t token : seen) {
      float& logit = logits[static_cast<std::size_t>(token)];
      logit = logit < 0 ? logit * penalty : logit / penalty;
    }
  }
  if (options.presence_penalty != 0 || options.frequency_penalty != 0) {
    std::map<std::int32_t, std::int64_t> counts;
    for (const std::int32_t token : spoken.answer) {
      ++counts[token];
    }
    for (const auto& [token, count] : counts) {
      logits[static_cast<std::size_t>(token)] -= static_cast<float>(
          options.presence_penalty + options.frequency_penalty * static_cast<double>(count));
    }
  }
  for (const auto& [token, bias] : options.logit_bias) {
    logits[static_cast<std::size_t>(token)] += bias;
  }
}

std::int32_t sample_token(std::span<const float> logits, const SamplingOptions& options,
                          Random& random) {
  LMPO_CHECK(!logits.empty());
  const auto best = likeliest(logits);
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
  keep_likely(candidates, options.min_p);
  keep_typical(candidates, options.typical_p);
  return draw_token(candidates, random);
}

std::int32_t choose_token(std::span<const float> logits, const SamplingOptions& options,
                          const SpokenTokens& spoken, Random& random) {
  if (!adjusts(options)) {
    return sample_token(logits, options, random);
  }
  std::vector<float> adjusted(logits.begin(), logits.end());
  adjust_logits(adjusted, options, spoken);
  return sample_token(adjusted, options, random);
}

}  // namespace lmpo

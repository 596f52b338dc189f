// Log-likelihoods of many sequences: what they begin with in common is computed once, at every depth.
//
// Sequences are read in the order of their tokens, so that those that begin alike follow each other,
// and what was read is found in the cache of pages. Those that differ in their last token alone are
// read as one.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "model/loaded_model.h"
#include "tree/tree.h"

namespace lmpo {

struct Likelihood {
  double logp = 0;     // of the scored tokens, summed
  bool greedy = true;  // each of them is the likeliest
};

struct LikelihoodStatistics {
  std::int64_t tokens = 0;    // of all sequences, without their last ones
  std::int64_t computed = 0;  // of these, not found again
};

// Calls done(index, likelihood) for each sequence, in no certain order. Sequences must be valid and
// without gaps. `at_once`: sequences that are read together. Log-probabilities depend on their
// neighbours by rounding. UserError where logits are not finite.
using TakeLikelihood = std::function<void(std::size_t index, const Likelihood& likelihood)>;
LikelihoodStatistics score_likelihoods(LoadedModel& model,
                                       std::span<const Sequence* const> sequences,
                                       std::int64_t at_once, const TakeLikelihood& done);

}  // namespace lmpo

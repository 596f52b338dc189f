// How well a run's packs are filled.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/json.h"
#include "data/sampler.h"
#include "inspect/lengths.h"
#include "train/packs.h"

namespace lmpo {

struct PackReport {
  std::int64_t budget = 0;       // tokens per pack: max_pack_tokens
  std::int64_t micro_batch = 0;  // per pack
  std::int64_t batch = 0;        // trees per global batch
  std::int64_t batches = 0;
  std::int64_t packs = 0;
  std::int64_t oversized = 0;        // packs of one tree that exceeds the budget
  std::int64_t tokens = 0;           // input tokens, trunks once
  std::int64_t separate_tokens = 0;  // input tokens if every response had its prompt to itself
  // A lower bound of any packing: tokens divided by the budget, rounded up in every batch.
  std::int64_t fewest = 0;
  std::int64_t unfilled = 0;  // tokens that all packs still have room for
  LengthSummary fill;         // tokens of a pack

  // The share of the packs' budgets that no token fills.
  double waste() const;
  // The most of it that better packing could save: all but the room that `fewest` packs leave.
  double avoidable() const;
};

// The first epoch, in the order of the run's sampler. Requires at least one tree and
// limits.max_tokens > 0.
PackReport pack_report(const std::vector<Tree>& trees, const SamplerOptions& sampling,
                       const PackLimits& limits);

ordered_json to_json(const PackReport& report);

}  // namespace lmpo

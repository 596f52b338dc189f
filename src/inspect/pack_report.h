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
  std::int64_t budget = 0;       // tokens of a pack: max_pack_tokens
  std::int64_t micro_batch = 0;  // most trees of a pack
  std::int64_t batch = 0;        // trees of a global batch
  std::int64_t batches = 0;
  std::int64_t packs = 0;
  std::int64_t oversized = 0;        // packs of one tree that exceeds the budget
  std::int64_t tokens = 0;           // input tokens, trunks once
  std::int64_t separate_tokens = 0;  // input tokens if every response had its prompt to itself
  // Packs if trees could be cut but no pack crossed a global batch: tokens by the budget, rounded
  // up in every batch. No packing takes fewer.
  std::int64_t fewest = 0;
  std::int64_t unfilled = 0;  // tokens that packs had room for, in total
  LengthSummary fill;         // tokens of a pack

  // The part of the packs' budgets that no token fills,
  double waste() const;
  // and what of it better packing could save at most: all but the room that `fewest` packs leave.
  double avoidable() const;
};

// Over the first epoch, in the order of the run's sampler. Requires trees and limits.max_tokens >
// 0.
PackReport pack_report(const std::vector<Tree>& trees, const SamplerOptions& sampling,
                       const PackLimits& limits);

ordered_json to_json(const PackReport& report);

}  // namespace lmpo

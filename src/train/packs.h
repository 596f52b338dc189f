// A batch as it goes through the model, a pack at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/packer.h"
#include "tree/tree.h"

namespace lmpo {

// What a pack's buffers grow with; a pack's is the sum of its trees'.
struct PackSize {
  std::int64_t tokens = 0;   // T, inputs
  std::int64_t rows = 0;     // N, that predict
  std::int64_t targets = 0;  // M, scored tokens

  void add(const PackSize& other);
  bool covers(const PackSize& other) const;
  bool operator==(const PackSize&) const = default;
};
PackSize size_of(const Tree& tree);

// How much goes through the model at once. Results do not depend on it, but for rounding.
struct PackLimits {
  std::int64_t max_trees = 8;
  std::int64_t max_tokens = 0;  // 0: no limit
  // Sizes that memory was planned for; where there are any, a pack that none of them covers is cut
  // in halves until one does. A single tree always goes through.
  std::vector<PackSize> planned = {};
};

using TreePacks = std::vector<std::vector<const Tree*>>;

// As cut_into_packs (packer.h) cuts it, and on to what was planned.
std::vector<PackIndices> cut_batch(std::span<const Tree* const> batch, const PackLimits& limits);
TreePacks packs_of(std::span<const Tree* const> batch, const PackLimits& limits);

}  // namespace lmpo

// A batch as it goes through the model, a pack at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tree/tree.h"

namespace lmpo {

// How much goes through the model at once. Results do not depend on it, but for rounding.
struct PackLimits {
  std::int64_t max_trees = 8;
  std::int64_t max_tokens = 0;  // 0: no limit
};

using TreePacks = std::vector<std::vector<const Tree*>>;

// As cut_into_packs (packer.h) cuts it.
TreePacks packs_of(std::span<const Tree* const> batch, const PackLimits& limits);

}  // namespace lmpo

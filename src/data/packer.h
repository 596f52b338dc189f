// Cuts a batch of trees into packs that fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tree/tree.h"

namespace lmpo {

// Trees of one pack: indices into the batch, rising.
using PackIndices = std::vector<std::size_t>;

// Packs that hold every tree of the batch once: at most `micro_batch` trees (at least 1) and, where
// max_tokens > 0, at most that many input tokens (Tree::input_tokens). A tree larger than that is a
// pack of its own. Packs come in the order of their first trees.
//
// Without max_tokens packs are consecutive runs of the batch. With it every tree, the largest
// first, goes where it leaves the least room (best fit decreasing), which needs nearly as few packs
// as there can be. Depends on sizes and order alone.
std::vector<PackIndices> cut_into_packs(std::span<const Tree* const> batch,
                                        std::int64_t micro_batch, std::int64_t max_tokens);
// The same for trees whose input tokens are `sizes`.
std::vector<PackIndices> cut_into_packs(std::span<const std::int64_t> sizes,
                                        std::int64_t micro_batch, std::int64_t max_tokens);

}  // namespace lmpo

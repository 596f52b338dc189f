// Splits a batch of trees into packs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tree/tree.h"

namespace lmpo {

// Trees of one pack: indices into the batch, ascending.
using PackIndices = std::vector<std::size_t>;

// Puts every tree of the batch into one pack. A pack has at most `micro_batch` trees (>= 1) and, if
// max_tokens > 0, at most that many input tokens (Tree::input_tokens); a larger tree is a pack of
// its own. Packs are ordered by their first trees.
//
// Without max_tokens, packs are consecutive parts of the batch. With it, packs are filled by best
// fit decreasing: the largest tree first, each into the pack that it fills best. This needs nearly
// as few packs as possible. The result depends only on sizes and order.
std::vector<PackIndices> cut_into_packs(std::span<const Tree* const> batch,
                                        std::int64_t micro_batch, std::int64_t max_tokens);
// The same, given the input tokens of each tree.
std::vector<PackIndices> cut_into_packs(std::span<const std::int64_t> sizes,
                                        std::int64_t micro_batch, std::int64_t max_tokens);

}  // namespace lmpo

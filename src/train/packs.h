// A batch goes through the model in packs: micro-batches of trees laid end to end (tree/tree.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/packer.h"
#include "tree/tree.h"

namespace lmpo {

// The trees of a batch, a pack or an evaluation, in order. They belong to a Dataset.
using Trees = std::vector<const Tree*>;
Trees pointers(std::span<const Tree> trees);
// Those with these indices.
Trees at_indices(std::span<const Tree* const> batch, const PackIndices& indices);

// The tokens of the longest sequence; 1 if there is none.
std::int64_t longest_sequence(std::span<const Tree* const> trees);

// What a pack's buffers grow with: the sum over its trees.
struct PackSize {
  std::int64_t tokens = 0;   // T, inputs
  std::int64_t rows = 0;     // N, that predict
  std::int64_t targets = 0;  // M, scored tokens

  void add(const PackSize& other);
  bool covers(const PackSize& other) const;
  bool operator==(const PackSize&) const = default;
};
PackSize size_of(const Tree& tree);

// The limits of a pack. They change results by rounding only.
struct PackLimits {
  std::int64_t micro_batch = 8;  // most trees
  std::int64_t max_tokens = 0;   // most input tokens; 0: no limit
  // Sizes that memory was planned for. If there are any, a pack that none of them covers is halved
  // until one does or a single tree is left.
  std::vector<PackSize> planned = {};
};

// Cuts a batch by cut_into_packs (packer.h), and further by limits.planned.
std::vector<PackIndices> cut_batch(std::span<const Tree* const> batch, const PackLimits& limits);
std::vector<Trees> packs_of(std::span<const Tree* const> batch, const PackLimits& limits);

}  // namespace lmpo

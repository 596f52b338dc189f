// Cuts a batch of trees into packs that fit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tree/tree.h"

namespace lmpo {

// Trees [begin, end) of the batch.
struct PackRange {
  std::int64_t begin;
  std::int64_t end;

  bool operator==(const PackRange&) const = default;
};

// Consecutive ranges that cover the batch in order, each as long as the limits allow: at most
// `max_trees` trees (at least 1) and, where max_tokens > 0, at most that many input tokens
// (Tree::input_tokens). A tree larger than max_tokens is a pack of its own.
std::vector<PackRange> cut_into_packs(std::span<const Tree* const> batch, std::int64_t max_trees,
                                      std::int64_t max_tokens);

}  // namespace lmpo

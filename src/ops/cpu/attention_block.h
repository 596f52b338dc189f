// Attention of one block of queries, tile of keys by tile of keys, in the manner of flash attention
// (Dao et al. 2022): a running maximum and sum a query, never more scores than one tile.
#pragma once

#include <array>
#include <cstdint>

#include "ops/op_list.h"

namespace lmpo::cpu {

constexpr std::int64_t kQueryBlock = 128;  // most queries of a block
constexpr std::int64_t kKeyBlock = 128;    // most keys of a tile

// Scores or probabilities of one tile, [queries, keys].
using ScoreTile = std::array<float, kQueryBlock * kKeyBlock>;

// The keys [first, last) of a tile that a query sees; may be empty.
struct VisibleKeys {
  std::int64_t first;
  std::int64_t last;
};
using VisibleRows = std::array<VisibleKeys, kQueryBlock>;

// Rows of one head inside a wider matrix.
struct HeadRows {
  const float* data;
  std::int64_t stride;
};
struct HeadResult {
  float* data;
  std::int64_t stride;
};

class AttentionBlock {
 public:
  // queries[count, E] and out[count, E]; out is overwritten.
  AttentionBlock(const AttentionShape& shape, HeadRows queries, HeadResult out, std::int64_t count);

  // Tiles come in any order; every query sees at least one key of one of them.
  void add_tile(HeadRows keys, HeadRows values, std::int64_t key_count, const VisibleRows& visible);
  // Divides by the sums.
  void finish();
  // After finish: the log-sum-exp of a query's scores.
  float log_sum_exp(std::int64_t query) const;

 private:
  // Turns a query's scores into weights exp(score - maximum); the earlier ones follow the maximum.
  void weigh(std::int64_t query, VisibleKeys visible, std::int64_t key_count);

  AttentionShape shape_;
  HeadRows queries_;
  HeadResult out_;
  std::int64_t count_;
  bool empty_ = true;
  std::array<float, kQueryBlock> maximum_;
  std::array<float, kQueryBlock> sum_;
  ScoreTile scores_;
};

}  // namespace lmpo::cpu

// A model's rotary tables on the device, and which of their rows a token takes.
//
// The tables hold the positions of sequences up to a longest one. Where a table has long factors
// (longrope), that of long sequences follows that of short ones: a token's row is its position, or,
// in a long sequence, as many rows further as the tables have positions. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

class Rotary {
 public:
  // Allocates the tables for sequences of up to `positions` tokens.
  Rotary(const ModelConfig& config, Ops& ops, Arena& arena, std::int64_t positions);

  // In place on the queries and keys of qkv[T,(H+2K)E], for the row of each of its tokens; the
  // table is one of config.ropes.
  void forward(std::size_t table, Tensor qkv, Tensor rows, const AttentionShape& shape);
  void backward(std::size_t table, Tensor dqkv, Tensor rows, const AttentionShape& shape);

  // Sequences of more tokens than this are long; 0: no table tells them apart.
  std::int64_t longest_short() const { return longest_short_; }
  bool is_long(std::int64_t length) const { return longest_short_ > 0 && length > longest_short_; }
  // The row of a position in a sequence of `length` tokens.
  std::int32_t row(std::int64_t position, std::int64_t length) const {
    return static_cast<std::int32_t>(position + (is_long(length) ? positions_ : 0));
  }

 private:
  Ops& ops_;
  std::int64_t positions_;
  std::int64_t longest_short_;
  std::vector<Tensor> tables_;  // cos_sin of RopeForward
  Tensor query_scale_;          // of RopeForward
};

// cos_sin[P, R] of RopeForward, as transformers computes it: float32 angles, position * inverse
// frequency.
std::vector<float> rotary_table(const Rope& rope, bool is_long, std::int64_t positions);
// query_scale[P] of RopeForward.
std::vector<float> query_scales(const ModelConfig& config, std::int64_t positions);

}  // namespace lmpo

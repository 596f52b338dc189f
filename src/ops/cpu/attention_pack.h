// Which keys of a pack a query sees, tile by tile.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "ops/cpu/attention_block.h"
#include "ops/ops.h"
#include "ops/shape.h"

namespace lmpo::cpu {

// One head's columns in qkv[T, (H+2K)E], or in a gradient of the same shape.
struct PackedHeads {
  float* data;
  AttentionShape shape;

  PackedHeads(Tensor qkv, const AttentionShape& heads) : data(qkv.f32()), shape(heads) {
    LMPO_CHECK(qkv.rank() == 2 && qkv.dim(1) == stride() && shape.key_heads > 0 &&
               shape.query_heads % shape.key_heads == 0 && shape.scale > 0.0F);
  }
  std::int64_t stride() const { return shape.qkv_width(); }
  std::int64_t group() const { return shape.query_heads / shape.key_heads; }
  HeadResult query(std::int64_t row, std::int64_t head) const { return column(row, head); }
  HeadResult key(std::int64_t row, std::int64_t key_head) const {
    return column(row, shape.query_heads + key_head);
  }
  HeadResult value(std::int64_t row, std::int64_t key_head) const {
    return column(row, shape.query_heads + shape.key_heads + key_head);
  }

 private:
  HeadResult column(std::int64_t row, std::int64_t head) const {
    return {data + row * stride() + head * shape.head_size, stride()};
  }
};

// Positions rise along a segment and along its context, so a tile's first and last key tell whether
// the window reaches it.
struct PackKeys {
  const std::int32_t* positions;
  std::int64_t window;

  // body(first key, number of keys) for every tile that some query of [begin, end) sees.
  template <typename Body>
  void for_tiles(const Pack::Segment& segment, std::int64_t begin, std::int64_t end,
                 const Body& body) const {
    for_run(segment.context_begin, segment.context_end, begin, body);
    for_run(segment.begin, end, begin, body);
  }

  // What the queries [begin, end) see of the keys [first_key, first_key + key_count).
  VisibleRows visible(std::int64_t begin, std::int64_t end, std::int64_t first_key,
                      std::int64_t key_count) const {
    VisibleRows rows;
    const std::int32_t* tile = positions + first_key;
    for (std::int64_t query = begin; query < end; ++query) {
      const std::int64_t last = std::min(key_count, query + 1 - first_key);
      const std::int64_t first =
          window == 0 || last <= 0
              ? 0
              : std::upper_bound(tile, tile + last, positions[query] - window) - tile;
      rows[static_cast<std::size_t>(query - begin)] = {first, std::max(first, last)};
    }
    return rows;
  }

 private:
  template <typename Body>
  void for_run(std::int64_t first_key, std::int64_t last_key, std::int64_t first_query,
               const Body& body) const {
    for (std::int64_t key = first_key; key < last_key; key += kKeyBlock) {
      const std::int64_t count = std::min(kKeyBlock, last_key - key);
      if (window == 0 || positions[first_query] - positions[key + count - 1] < window) {
        body(key, count);
      }
    }
  }
};

}  // namespace lmpo::cpu

// One key head of one tree, with rows copied next to one another: products over them are dense.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "ops/cpu/attention_pack.h"
#include "ops/cpu/buffer.h"

namespace lmpo::cpu {

// Segments that see one another: a segment without context starts a tree.
std::vector<std::span<const Pack::Segment>> cut_trees(std::span<const Pack::Segment> segments);

// Tokens [begin, end) of a segment; their queries of some of the key head's query heads are the rows
// of a block, one head after the other.
struct QueryBlock {
  const Pack::Segment* segment;
  std::int64_t begin;
  std::int64_t end;
  std::int64_t first_head;  // within the key head's group
  std::int64_t heads;

  std::int64_t tokens() const { return end - begin; }
  std::int64_t rows() const { return tokens() * heads; }
  std::int64_t token_of(std::int64_t row) const { return begin + row % tokens(); }
  std::int64_t head_of(std::int64_t row) const { return first_head + row / tokens(); }
};

class AttentionTree {
 public:
  AttentionTree(const AttentionShape& shape, std::span<const Pack::Segment> tree,
                std::int64_t key_head)
      : shape_(shape), tree_(tree), key_head_(key_head) {}

  std::int64_t first_row() const { return tree_.front().begin; }
  std::int64_t rows() const { return tree_.back().end - first_row(); }
  std::int64_t group() const { return shape_.query_heads / shape_.key_heads; }
  std::int64_t head(const QueryBlock& block, std::int64_t row) const {
    return key_head_ * group() + block.head_of(row);
  }

  // body(block) for blocks of at most kQueryBlock rows that cover the tree's queries of all heads of
  // the group. A group of more heads than a block has rows is taken in parts.
  template <typename Body>
  void for_blocks(const Body& body) const {
    const std::int64_t tokens = std::clamp<std::int64_t>(kQueryBlock / group(), 1, 64);
    for (const Pack::Segment& segment : tree_) {
      for (std::int64_t begin = segment.begin; begin < segment.end; begin += tokens) {
        const std::int64_t end = std::min<std::int64_t>(begin + tokens, segment.end);
        for (std::int64_t head = 0; head < group(); head += kQueryBlock) {
          body(QueryBlock{&segment, begin, end, head, std::min(group() - head, kQueryBlock)});
        }
      }
    }
  }

  // The tree's rows of a head, one below the other: column(row) is where each lies.
  template <typename Column>
  const float* gather(Buffer& buffer, const Column& column) const {
    float* out = buffer.of_size(rows() * shape_.head_size);
    for (std::int64_t row = 0; row < rows(); ++row) {
      std::copy_n(column(first_row() + row), shape_.head_size, out + row * shape_.head_size);
    }
    return out;
  }
  // The same for a block's rows: column(token, head).
  template <typename Column>
  const float* gather(Buffer& buffer, const QueryBlock& block, const Column& column) const {
    float* out = buffer.of_size(block.rows() * shape_.head_size);
    for (std::int64_t row = 0; row < block.rows(); ++row) {
      std::copy_n(column(block.token_of(row), head(block, row)), shape_.head_size,
                  out + row * shape_.head_size);
    }
    return out;
  }

 private:
  AttentionShape shape_;
  std::span<const Pack::Segment> tree_;
  std::int64_t key_head_;
};

// What each row of the block sees of the keys [first_key, first_key + key_count).
inline VisibleRows visible_rows(const PackKeys& keys, const QueryBlock& block,
                                std::int64_t first_key, std::int64_t key_count) {
  VisibleRows rows = keys.visible(block.begin, block.end, first_key, key_count);
  for (std::int64_t row = block.tokens(); row < block.rows(); ++row) {
    rows[static_cast<std::size_t>(row)] = rows[static_cast<std::size_t>(row - block.tokens())];
  }
  return rows;
}

}  // namespace lmpo::cpu

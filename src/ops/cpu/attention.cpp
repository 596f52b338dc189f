// Attention over trees. A task is one key head of one tree, with the queries of its group.
#include <algorithm>

#include "base/threads.h"
#include "ops/cpu/attention_tree.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/segments.h"

namespace lmpo {

namespace cpu {

std::vector<std::span<const Pack::Segment>> cut_trees(std::span<const Pack::Segment> segments) {
  std::vector<std::span<const Pack::Segment>> trees;
  std::size_t first = 0;
  for (std::size_t i = 1; i <= segments.size(); ++i) {
    if (i == segments.size() || segments[i].context_begin == segments[i].context_end) {
      trees.push_back(segments.subspan(first, i - first));
      first = i;
    }
  }
  return trees;
}

}  // namespace cpu

namespace {

class ForwardTask {
 public:
  ForwardTask(const cpu::PackedHeads& heads, Tensor out, Tensor lse, const cpu::PackKeys& keys)
      : heads_(heads), out_(out.f32()), lse_(lse.f32()), tokens_(out.dim(0)), keys_(keys) {}

  void run(std::span<const Pack::Segment> segments, std::int64_t key_head) {
    thread_local cpu::Buffer key_rows;
    thread_local cpu::Buffer value_rows;
    const cpu::AttentionTree tree(heads_.shape, segments, key_head);
    const float* k =
        tree.gather(key_rows, [&](std::int64_t row) { return heads_.key(row, key_head).data; });
    const float* v =
        tree.gather(value_rows, [&](std::int64_t row) { return heads_.value(row, key_head).data; });
    tree.for_blocks([&](const cpu::QueryBlock& block) { attend(tree, block, k, v); });
  }

 private:
  void attend(const cpu::AttentionTree& tree, const cpu::QueryBlock& block, const float* k,
              const float* v) {
    thread_local cpu::Buffer query_rows;
    thread_local cpu::Buffer out_rows;
    const std::int64_t size = heads_.shape.head_size;
    const float* q = tree.gather(query_rows, block, [&](std::int64_t token, std::int64_t head) {
      return heads_.query(token, head).data;
    });
    float* out = out_rows.of_size(block.rows() * size);
    cpu::AttentionBlock attention(heads_.shape, {q, size}, {out, size}, block.rows());
    keys_.for_tiles(*block.segment, block.begin, block.end,
                    [&](std::int64_t key, std::int64_t count) {
                      const std::int64_t offset = (key - tree.first_row()) * size;
                      attention.add_tile({k + offset, size}, {v + offset, size}, count,
                                         cpu::visible_rows(keys_, block, key, count));
                    });
    attention.finish();
    for (std::int64_t row = 0; row < block.rows(); ++row) {
      const std::int64_t token = block.token_of(row);
      const std::int64_t head = tree.head(block, row);
      std::copy_n(out + row * size, size, out_ + (token * heads_.shape.query_heads + head) * size);
      lse_[head * tokens_ + token] = attention.log_sum_exp(row);
    }
  }

  cpu::PackedHeads heads_;
  float* out_;
  float* lse_;
  std::int64_t tokens_;
  cpu::PackKeys keys_;
};

}  // namespace

std::size_t CpuOps::attention_scratch(std::span<const Pack::Segment> segments,
                                      const AttentionShape& shape) const {
  std::int64_t longest = 0;
  for (const auto& tree : cpu::cut_trees(segments)) {
    longest = std::max<std::int64_t>(longest, tree.back().end - tree.front().begin);
  }
  // Of a tree keys and values in both directions and their gradients, and five blocks of queries.
  const std::int64_t floats = (6 * longest + 5 * cpu::kQueryBlock) * shape.head_size;
  return static_cast<std::size_t>(threads() * floats) * sizeof(float);
}

void CpuOps::run(const AttentionForward& op) {
  const std::int64_t tokens = op.qkv.dim(0);
  LMPO_CHECK(has_shape(op.out, {tokens, op.shape.out_width()}) &&
             has_shape(op.positions, {tokens}) &&
             has_shape(op.lse, {op.shape.query_heads, tokens}));
  check_segments(op.segments, tokens);
  const cpu::PackedHeads heads(op.qkv, op.shape);
  const auto trees = cpu::cut_trees(op.segments);
  parallel_each(op.shape.key_heads * static_cast<std::int64_t>(trees.size()),
                [&](std::int64_t index) {
                  ForwardTask task(heads, op.out, op.lse, {op.positions.i32(), op.shape.window});
                  task.run(trees[static_cast<std::size_t>(index / op.shape.key_heads)],
                           index % op.shape.key_heads);
                });
}

}  // namespace lmpo

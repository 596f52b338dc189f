// Backward of attention over trees. A task is one key head of one tree: it owns that head's rows of
// dk and dv and its group's rows of dq, so sums need no atomics and have one order.
#include <array>

#include "base/threads.h"
#include "ops/cpu/attention_tree.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/matmul.h"
#include "ops/cpu/vector.h"
#include "ops/segments.h"

namespace lmpo {
namespace {

using cpu::matmul_serial;
using cpu::Transpose;

LMPO_VECTOR float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

// scores become probabilities p; dp, the gradient of p, becomes that of the unscaled scores,
// p (dp - delta) factor, where delta is the query's sum of p dp.
LMPO_VECTOR void softmax_backward(float* __restrict scores, float* __restrict dp, float lse,
                                  float delta, float factor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float p = cpu::exp(scores[i] - lse);
    scores[i] = p;
    dp[i] = p * (dp[i] - delta) * factor;
  }
}

// The same where scores are capped: ds passes through softcap tanh(score / softcap).
LMPO_VECTOR void capped_softmax_backward(float* __restrict scores, float* __restrict dp, float lse,
                                         float delta, float factor, float softcap,
                                         std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float t = cpu::tanh(scores[i] / softcap);
    const float p = cpu::exp(softcap * t - lse);
    scores[i] = p;
    dp[i] = p * (dp[i] - delta) * (1.0F - t * t) * factor;
  }
}

class BackwardTask {
 public:
  BackwardTask(const cpu::PackedHeads& heads, const cpu::PackedHeads& gradients, Tensor dout,
               Tensor lse, Tensor delta, const cpu::PackKeys& keys)
      : heads_(heads),
        gradients_(gradients),
        dout_(dout.f32()),
        lse_(lse.f32()),
        delta_(delta.f32()),
        tokens_(dout.dim(0)),
        keys_(keys),
        size_(heads.shape.head_size) {}

  void run(std::span<const Pack::Segment> segments, std::int64_t key_head) {
    thread_local std::array<cpu::Buffer, 4> buffers;
    const cpu::AttentionTree tree(heads_.shape, segments, key_head);
    k_ = tree.gather(buffers[0], [&](std::int64_t row) { return heads_.key(row, key_head).data; });
    v_ =
        tree.gather(buffers[1], [&](std::int64_t row) { return heads_.value(row, key_head).data; });
    dk_ = zeros(buffers[2], tree.rows());
    dv_ = zeros(buffers[3], tree.rows());
    tree.for_blocks([&](const cpu::QueryBlock& block) { differentiate(tree, block); });
    for (std::int64_t row = 0; row < tree.rows(); ++row) {
      std::copy_n(dk_ + row * size_, size_, gradients_.key(tree.first_row() + row, key_head).data);
      std::copy_n(dv_ + row * size_, size_,
                  gradients_.value(tree.first_row() + row, key_head).data);
    }
  }

 private:
  float* zeros(cpu::Buffer& buffer, std::int64_t rows) const {
    float* data = buffer.of_size(rows * size_);
    std::fill_n(data, rows * size_, 0.0F);
    return data;
  }

  void differentiate(const cpu::AttentionTree& tree, const cpu::QueryBlock& block) {
    thread_local std::array<cpu::Buffer, 3> buffers;
    const float* q = tree.gather(buffers[0], block, [&](std::int64_t token, std::int64_t head) {
      return heads_.query(token, head).data;
    });
    const float* dout = tree.gather(buffers[1], block, [&](std::int64_t token, std::int64_t head) {
      return dout_ + (token * heads_.shape.query_heads + head) * size_;
    });
    float* dq = zeros(buffers[2], block.rows());
    keys_.for_tiles(*block.segment, block.begin, block.end,
                    [&](std::int64_t key, std::int64_t count) {
                      add_tile(tree, block, q, dout, dq, key, count);
                    });
    for (std::int64_t row = 0; row < block.rows(); ++row) {
      std::copy_n(dq + row * size_, size_,
                  gradients_.query(block.token_of(row), tree.head(block, row)).data);
    }
  }

  // A block of queries against the keys [key, key + count).
  void add_tile(const cpu::AttentionTree& tree, const cpu::QueryBlock& block, const float* q,
                const float* dout, float* dq, std::int64_t key, std::int64_t count) {
    const std::int64_t rows = block.rows();
    const std::int64_t offset = (key - tree.first_row()) * size_;
    const float scale = heads_.shape.scale;
    float* p = scores_.data();
    float* dp = dscores_.data();
    matmul_serial({Transpose::no, Transpose::yes, rows, count, size_, scale, q, size_, k_ + offset,
                   size_, 0.0F, p, count});
    matmul_serial({Transpose::no, Transpose::yes, rows, count, size_, 1.0F, dout, size_,
                   v_ + offset, size_, 0.0F, dp, count});
    differentiate_scores(tree, block, key, count);
    matmul_serial({Transpose::yes, Transpose::no, count, size_, rows, 1.0F, p, count, dout, size_,
                   1.0F, dv_ + offset, size_});
    matmul_serial({Transpose::yes, Transpose::no, count, size_, rows, 1.0F, dp, count, q, size_,
                   1.0F, dk_ + offset, size_});
    matmul_serial({Transpose::no, Transpose::no, rows, size_, count, 1.0F, dp, count, k_ + offset,
                   size_, 1.0F, dq, size_});
  }

  void differentiate_scores(const cpu::AttentionTree& tree, const cpu::QueryBlock& block,
                            std::int64_t key, std::int64_t count) {
    const float scale = heads_.shape.scale;
    const float softcap = heads_.shape.softcap;
    const cpu::VisibleRows visible = cpu::visible_rows(keys_, block, key, count);
    for (std::int64_t row = 0; row < block.rows(); ++row) {
      const auto [first, last] = visible[static_cast<std::size_t>(row)];
      float* p = scores_.data() + row * count;
      float* ds = dscores_.data() + row * count;
      for (float* scores : {p, ds}) {
        std::fill(scores, scores + first, 0.0F);
        std::fill(scores + last, scores + count, 0.0F);
      }
      const std::int64_t statistic = tree.head(block, row) * tokens_ + block.token_of(row);
      if (softcap == 0.0F) {
        softmax_backward(p + first, ds + first, lse_[statistic], delta_[statistic], scale,
                         last - first);
      } else {
        capped_softmax_backward(p + first, ds + first, lse_[statistic], delta_[statistic], scale,
                                softcap, last - first);
      }
    }
  }

  cpu::PackedHeads heads_;
  cpu::PackedHeads gradients_;
  const float* dout_;
  const float* lse_;
  const float* delta_;
  std::int64_t tokens_;
  cpu::PackKeys keys_;
  std::int64_t size_;
  // Rows of the task's tree, [rows, E].
  const float* k_ = nullptr;
  const float* v_ = nullptr;
  float* dk_ = nullptr;
  float* dv_ = nullptr;
  cpu::ScoreTile scores_;
  cpu::ScoreTile dscores_;
};

// delta[H,T] = sum over E of dout out, which is the sum over keys of p dp.
void row_products(Tensor delta, Tensor dout, Tensor out, const AttentionShape& shape) {
  const std::int64_t tokens = out.dim(0);
  const std::int64_t size = shape.head_size;
  parallel_for(tokens, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t head = 0; head < shape.query_heads; ++head) {
        const std::int64_t offset = (row * shape.query_heads + head) * size;
        delta.f32()[head * tokens + row] = dot(dout.f32() + offset, out.f32() + offset, size);
      }
    }
  });
}

}  // namespace

void CpuOps::run(const AttentionBackward& op) {
  const std::int64_t tokens = op.qkv.dim(0);
  LMPO_CHECK(has_shape(op.out, {tokens, op.shape.out_width()}) && op.dout.same_shape(op.out) &&
             op.dqkv.same_shape(op.qkv) && has_shape(op.positions, {tokens}) &&
             has_shape(op.lse, {op.shape.query_heads, tokens}) && op.scratch.same_shape(op.lse));
  check_segments(op.segments, tokens);
  row_products(op.scratch, op.dout, op.out, op.shape);
  const cpu::PackedHeads heads(op.qkv, op.shape);
  const cpu::PackedHeads gradients(op.dqkv, op.shape);
  const auto trees = cpu::cut_trees(op.segments);
  parallel_each(op.shape.key_heads * static_cast<std::int64_t>(trees.size()),
                [&](std::int64_t index) {
                  BackwardTask task(heads, gradients, op.dout, op.lse, op.scratch,
                                    {op.positions.i32(), op.shape.window});
                  task.run(trees[static_cast<std::size_t>(index / op.shape.key_heads)],
                           index % op.shape.key_heads);
                });
}

}  // namespace lmpo

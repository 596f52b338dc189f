// Backward of attention over trees. A task is one key head of one tree: it owns that head's rows of
// dk and dv and its group's rows of dq, so sums need no atomics and have one order.
#include <vector>

#include "base/threads.h"
#include "ops/cpu/attention_pack.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/matmul.h"
#include "ops/cpu/vector.h"

namespace lmpo {
namespace {

using cpu::key_block;
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

// Segments that see one another: a segment without context starts a tree.
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
        keys_(keys) {}

  void run(std::span<const Pack::Segment> tree, std::int64_t key_head) {
    zero_rows(tree.front().begin, tree.back().end, key_head);
    for (std::int64_t i = 0; i < heads_.group(); ++i) {
      for (const Pack::Segment& segment : tree) {
        for (std::int64_t begin = segment.begin; begin < segment.end; begin += cpu::query_block) {
          const std::int64_t end = std::min<std::int64_t>(begin + cpu::query_block, segment.end);
          keys_.for_tiles(segment, begin, end, [&](std::int64_t key, std::int64_t count) {
            add_tile(key_head * heads_.group() + i, key_head, begin, end, key, count);
          });
        }
      }
    }
  }

 private:
  void zero_rows(std::int64_t begin, std::int64_t end, std::int64_t key_head) {
    const std::int64_t size = heads_.shape.head_size;
    for (std::int64_t row = begin; row < end; ++row) {
      std::fill_n(gradients_.query(row, key_head * heads_.group()).data, heads_.group() * size,
                  0.0F);
      std::fill_n(gradients_.key(row, key_head).data, size, 0.0F);
      std::fill_n(gradients_.value(row, key_head).data, size, 0.0F);
    }
  }

  // Queries [begin, end) of a head against the keys [key, key + count).
  void add_tile(std::int64_t head, std::int64_t key_head, std::int64_t begin, std::int64_t end,
                std::int64_t key, std::int64_t count) {
    const std::int64_t rows = end - begin;
    const std::int64_t size = heads_.shape.head_size;
    const std::int64_t stride = heads_.stride();
    const std::int64_t out_stride = heads_.shape.query_heads * size;
    const float factor = 1.0F / std::sqrt(static_cast<float>(size));
    const float* q = heads_.query(begin, head).data;
    const float* k = heads_.key(key, key_head).data;
    const float* v = heads_.value(key, key_head).data;
    const float* dout = dout_ + begin * out_stride + head * size;
    matmul_serial({Transpose::no, Transpose::yes, rows, count, size, factor, q, stride, k, stride,
                   0.0F, scores_.data(), key_block});
    matmul_serial({Transpose::no, Transpose::yes, rows, count, size, 1.0F, dout, out_stride, v,
                   stride, 0.0F, dscores_.data(), key_block});
    differentiate(head, begin, end, key, count, factor);
    matmul_serial({Transpose::yes, Transpose::no, count, size, rows, 1.0F, scores_.data(),
                   key_block, dout, out_stride, 1.0F, gradients_.value(key, key_head).data,
                   stride});
    matmul_serial({Transpose::yes, Transpose::no, count, size, rows, 1.0F, dscores_.data(),
                   key_block, q, stride, 1.0F, gradients_.key(key, key_head).data, stride});
    matmul_serial({Transpose::no, Transpose::no, rows, size, count, 1.0F, dscores_.data(),
                   key_block, k, stride, 1.0F, gradients_.query(begin, head).data, stride});
  }

  void differentiate(std::int64_t head, std::int64_t begin, std::int64_t end, std::int64_t key,
                     std::int64_t count, float factor) {
    const cpu::VisibleRows visible = keys_.visible(begin, end, key, count);
    for (std::int64_t query = begin; query < end; ++query) {
      const auto [first, last] = visible[static_cast<std::size_t>(query - begin)];
      float* p = scores_.data() + (query - begin) * key_block;
      float* ds = dscores_.data() + (query - begin) * key_block;
      for (float* row : {p, ds}) {
        std::fill(row, row + first, 0.0F);
        std::fill(row + last, row + count, 0.0F);
      }
      const std::int64_t statistic = head * tokens_ + query;
      softmax_backward(p + first, ds + first, lse_[statistic], delta_[statistic], factor,
                       last - first);
    }
  }

  cpu::PackedHeads heads_;
  cpu::PackedHeads gradients_;
  const float* dout_;
  const float* lse_;
  const float* delta_;
  std::int64_t tokens_;
  cpu::PackKeys keys_;
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

void CpuOps::attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                                Tensor positions, std::span<const Pack::Segment> segments,
                                const AttentionShape& shape, Tensor scratch) {
  const std::int64_t tokens = qkv.dim(0);
  LMPO_CHECK(has_shape(out, {tokens, shape.query_heads * shape.head_size}) &&
             dout.same_shape(out) && dqkv.same_shape(qkv) && has_shape(positions, {tokens}) &&
             has_shape(lse, {shape.query_heads, tokens}) && scratch.same_shape(lse));
  cpu::check_segments(segments, tokens);
  row_products(scratch, dout, out, shape);
  const cpu::PackedHeads heads(qkv, shape);
  const cpu::PackedHeads gradients(dqkv, shape);
  const auto trees = cut_trees(segments);
  parallel_each(shape.key_heads * static_cast<std::int64_t>(trees.size()), [&](std::int64_t index) {
    BackwardTask task(heads, gradients, dout, lse, scratch, {positions.i32(), shape.window});
    task.run(trees[static_cast<std::size_t>(index / shape.key_heads)], index % shape.key_heads);
  });
}

}  // namespace lmpo

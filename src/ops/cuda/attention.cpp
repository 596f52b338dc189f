// Attention over trees and over caches: which kernel, and where its blocks lie.
#include <algorithm>

#include "ops/cuda/cuda_ops.h"
#include "ops/cuda/errors.h"
#include "ops/segments.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

void check_shape(const AttentionShape& shape) {
  LMPO_CHECK(shape.key_heads > 0 && shape.query_heads % shape.key_heads == 0 &&
             shape.head_size <= cuda::kLargestHead && shape.query_heads <= cuda::kMostHeads &&
             shape.scale > 0.0F);
}

bool are_equal(std::span<const Pack::Segment> a, std::span<const Pack::Segment> b) {
  return std::ranges::equal(a, b, [](const Pack::Segment& x, const Pack::Segment& y) {
    return x.begin == y.begin && x.end == y.end && x.context_begin == y.context_begin &&
           x.context_end == y.context_end;
  });
}

cuda::PagesShape pages_shape(Tensor cache, const AttentionShape& shape) {
  return {.pages = cache.dim(0),
          .slots = cache.dim(1),
          .query_heads = static_cast<std::int32_t>(shape.query_heads),
          .key_heads = static_cast<std::int32_t>(shape.key_heads),
          .head_size = static_cast<std::int32_t>(shape.head_size),
          .scale = shape.scale,
          .softcap = shape.softcap,
          .window = static_cast<std::int32_t>(shape.window)};
}

void check_caches(Tensor cache_k, Tensor cache_v, Tensor qkv, const AttentionShape& shape) {
  check_shape(shape);
  LMPO_CHECK(cache_k.rank() == 3 && cache_k.same_shape(cache_v) &&
             cache_k.dim(2) == shape.key_width() &&
             has_shape(qkv, {qkv.dim(0), shape.qkv_width()}));
}

}  // namespace

std::size_t CudaOps::attention_scratch(std::span<const Pack::Segment> segments,
                                       const AttentionShape& shape) const {
  cuda::require_tables(segments, shape.query_heads, shape.key_heads);
  return 0;
}

void CudaOps::require_sizes(std::int64_t hidden, const AttentionShape& heads) const {
  cuda::require_sizes(hidden, heads.query_heads, heads.head_size);
}

cuda::AttentionInput CudaOps::attention_input(Tensor qkv, Tensor positions,
                                              std::span<const Pack::Segment> segments,
                                              const AttentionShape& shape) {
  const std::int64_t tokens = qkv.dim(0);
  check_shape(shape);
  LMPO_CHECK(has_shape(qkv, {tokens, shape.qkv_width()}) && has_shape(positions, {tokens}));
  const std::int32_t queries_in_block = cuda::queries_in_block(shape.query_heads, shape.key_heads);
  if (!are_equal(segments, segments_) || queries_in_block != blocks_.queries_in_block) {
    check_segments(segments, tokens);
    const cuda::AttentionGrid grid(segments, queries_in_block);
    LMPO_CHECK(grid.bytes() <= cuda::kTableBytes);
    auto* next = static_cast<char*>(tables_.get());
    const auto put = [&](const auto& items) {
      using Item = typename std::decay_t<decltype(items)>::value_type;
      auto* place = reinterpret_cast<Item*>(next);
      const std::size_t bytes = items.size() * sizeof(Item);
      next += (bytes + 15) / 16 * 16;
      cuda::check(cudaMemcpyAsync(place, items.data(), bytes, cudaMemcpyDefault, stream_),
                  "attention's blocks");
      return place;
    };
    blocks_.query_blocks = put(grid.queries);
    blocks_.query_block_count = static_cast<std::int32_t>(grid.queries.size());
    blocks_.queries_in_block = queries_in_block;
    blocks_.key_blocks = put(grid.keys);
    blocks_.key_block_count = static_cast<std::int32_t>(grid.keys.size());
    blocks_.runs = put(grid.runs);
    segments_.assign(segments.begin(), segments.end());
  }
  LMPO_CHECK(segments_.back().end == tokens);
  cuda::AttentionInput input = blocks_;
  input.qkv = typed(qkv);
  input.positions = positions.i32();
  input.tokens = static_cast<std::int32_t>(tokens);
  input.query_heads = static_cast<std::int32_t>(shape.query_heads);
  input.key_heads = static_cast<std::int32_t>(shape.key_heads);
  input.head_size = static_cast<std::int32_t>(shape.head_size);
  input.scale = shape.scale;
  input.softcap = shape.softcap;
  input.window = static_cast<std::int32_t>(shape.window);
  return input;
}

void CudaOps::run(const AttentionForward& op) {
  require_compute({&op.out, &op.qkv});
  LMPO_CHECK(has_shape(op.out, {op.qkv.dim(0), op.shape.out_width()}) &&
             has_shape(op.lse, {op.shape.query_heads, op.qkv.dim(0)}));
  const cuda::AttentionInput input = attention_input(op.qkv, op.positions, op.segments, op.shape);
  const bool fast = cuda::has_fast_attention(input);
  (fast ? cuda::attention_forward : cuda::attention_forward_general)(stream_, input, typed(op.out),
                                                                     op.lse.f32());
  launched("attention_forward", {&op.qkv});
}

void CudaOps::run(const AttentionBackward& op) {
  require_compute({&op.dqkv, &op.dout, &op.out, &op.qkv});
  LMPO_CHECK(has_shape(op.out, {op.qkv.dim(0), op.shape.out_width()}) &&
             op.dout.same_shape(op.out) && op.dqkv.same_shape(op.qkv) &&
             has_shape(op.lse, {op.shape.query_heads, op.qkv.dim(0)}) &&
             op.scratch.same_shape(op.lse));
  const cuda::AttentionInput input = attention_input(op.qkv, op.positions, op.segments, op.shape);
  cuda::attention_delta(stream_, op.scratch.f32(), typed(op.dout), typed(op.out), op.qkv.dim(0),
                        op.shape.query_heads, op.shape.head_size);
  const float* delta = op.scratch.f32();
  if (cuda::has_fast_attention(input)) {
    cuda::attention_query_gradient(stream_, input, typed(op.dqkv), typed(op.dout), op.lse.f32(),
                                   delta);
    cuda::attention_key_gradient(stream_, input, typed(op.dqkv), typed(op.dout), op.lse.f32(),
                                 delta);
  } else {
    cuda::attention_backward_general(stream_, input, typed(op.dqkv), typed(op.dout), op.lse.f32(),
                                     delta);
  }
  launched("attention_backward", {&op.qkv});
}

void CudaOps::run(const StorePages& op) {
  require_compute({&op.cache_k, &op.cache_v, &op.qkv});
  check_caches(op.cache_k, op.cache_v, op.qkv, op.shape);
  LMPO_CHECK(has_shape(op.slots, {op.qkv.dim(0)}) && op.cache_k.dim(1) <= kMostSlots);
  cuda::store_pages(stream_, typed(op.cache_k), typed(op.cache_v), typed(op.qkv), op.slots.i32(),
                    op.qkv.dim(0), pages_shape(op.cache_k, op.shape));
  launched("store_pages", {&op.cache_k, &op.qkv});
}

void CudaOps::run(const AttentionPaged& op) {
  require_compute({&op.out, &op.qkv, &op.cache_k, &op.cache_v});
  check_caches(op.cache_k, op.cache_v, op.qkv, op.shape);
  const std::int64_t sequences = op.lengths.dim(0);
  LMPO_CHECK(has_shape(op.out, {op.qkv.dim(0), op.shape.out_width()}) && sequences > 0 &&
             has_shape(op.lengths, {sequences}) && has_shape(op.begins, {sequences + 1}) &&
             op.pages.rank() == 2 && op.pages.dim(0) == sequences &&
             op.cache_k.dim(1) <= kMostSlots);
  const cuda::PageTable table{.begins = op.begins.i32(),
                              .lengths = op.lengths.i32(),
                              .pages = op.pages.i32(),
                              .sequences = static_cast<std::int32_t>(sequences),
                              .width = op.pages.dim(1)};
  cuda::attention_paged(stream_, typed(op.out), typed(op.qkv), typed(op.cache_k), typed(op.cache_v),
                        op.qkv.dim(0), table, pages_shape(op.cache_k, op.shape));
  launched("attention_paged", {&op.qkv, &op.cache_k});
}

}  // namespace lmpo

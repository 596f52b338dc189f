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
             shape.head_size <= cuda::largest_head && shape.query_heads <= cuda::most_heads);
}

bool are_equal(std::span<const Pack::Segment> a, std::span<const Pack::Segment> b) {
  return std::ranges::equal(a, b, [](const Pack::Segment& x, const Pack::Segment& y) {
    return x.begin == y.begin && x.end == y.end && x.context_begin == y.context_begin &&
           x.context_end == y.context_end;
  });
}

cuda::CacheShape cache_shape(Tensor cache, const AttentionShape& shape) {
  return {cache.dim(1), static_cast<std::int32_t>(shape.query_heads),
          static_cast<std::int32_t>(shape.key_heads), static_cast<std::int32_t>(shape.head_size),
          static_cast<std::int32_t>(shape.window)};
}

void check_caches(Tensor cache_k, Tensor cache_v, Tensor qkv, const AttentionShape& shape) {
  check_shape(shape);
  LMPO_CHECK(
      cache_k.rank() == 3 && cache_k.same_shape(cache_v) &&
      cache_k.dim(2) == shape.key_heads * shape.head_size &&
      has_shape(qkv, {qkv.dim(0), (shape.query_heads + 2 * shape.key_heads) * shape.head_size}));
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
  LMPO_CHECK(
      has_shape(qkv, {tokens, (shape.query_heads + 2 * shape.key_heads) * shape.head_size}) &&
      has_shape(positions, {tokens}));
  const std::int32_t queries_in_block = cuda::queries_in_block(shape.query_heads, shape.key_heads);
  if (!are_equal(segments, segments_) || queries_in_block != blocks_.queries_in_block) {
    check_segments(segments, tokens);
    const cuda::AttentionGrid grid(segments, queries_in_block);
    LMPO_CHECK(grid.bytes() <= cuda::table_bytes);
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
  input.window = static_cast<std::int32_t>(shape.window);
  return input;
}

void CudaOps::attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                                std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) {
  require_compute({&out, &qkv});
  LMPO_CHECK(has_shape(out, {qkv.dim(0), shape.query_heads * shape.head_size}) &&
             has_shape(lse, {shape.query_heads, qkv.dim(0)}));
  const cuda::AttentionInput input = attention_input(qkv, positions, segments, shape);
  const bool fast = cuda::has_fast_attention(compute_, shape.head_size);
  (fast ? cuda::attention_forward : cuda::attention_forward_general)(stream_, input, typed(out),
                                                                     lse.f32());
  launched("attention_forward", {&qkv});
}

void CudaOps::attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                                 Tensor positions, std::span<const Pack::Segment> segments,
                                 const AttentionShape& shape, Tensor scratch) {
  require_compute({&dqkv, &dout, &out, &qkv});
  LMPO_CHECK(has_shape(out, {qkv.dim(0), shape.query_heads * shape.head_size}) &&
             dout.same_shape(out) && dqkv.same_shape(qkv) &&
             has_shape(lse, {shape.query_heads, qkv.dim(0)}) && scratch.same_shape(lse));
  const cuda::AttentionInput input = attention_input(qkv, positions, segments, shape);
  cuda::attention_delta(stream_, scratch.f32(), typed(dout), typed(out), qkv.dim(0),
                        shape.query_heads, shape.head_size);
  const float* delta = scratch.f32();
  if (cuda::has_fast_attention(compute_, shape.head_size)) {
    cuda::attention_query_gradient(stream_, input, typed(dqkv), typed(dout), lse.f32(), delta);
    cuda::attention_key_gradient(stream_, input, typed(dqkv), typed(dout), lse.f32(), delta);
  } else {
    cuda::attention_backward_general(stream_, input, typed(dqkv), typed(dout), lse.f32(), delta);
  }
  launched("attention_backward", {&qkv});
}

void CudaOps::store_keys(Tensor cache_k, Tensor cache_v, Tensor qkv, std::int64_t begin,
                         std::int64_t end, std::int64_t b, const AttentionShape& shape) {
  require_compute({&cache_k, &cache_v, &qkv});
  check_caches(cache_k, cache_v, qkv, shape);
  LMPO_CHECK(begin >= 0 && begin <= end && end <= qkv.dim(0) && end - begin <= cache_k.dim(1) &&
             b >= 0 && b < cache_k.dim(0));
  if (begin < end) {
    cuda::store_keys(stream_, typed(cache_k), typed(cache_v), typed(qkv), begin, end - begin, b,
                     cache_shape(cache_k, shape));
    launched("store_keys", {&cache_k, &qkv});
  }
}

void CudaOps::attention_decode(Tensor out, Tensor qkv, Tensor cache_k, Tensor cache_v,
                               Tensor lengths, const AttentionShape& shape) {
  require_compute({&out, &qkv, &cache_k, &cache_v});
  check_caches(cache_k, cache_v, qkv, shape);
  const std::int64_t sequences = qkv.dim(0);
  LMPO_CHECK(has_shape(out, {sequences, shape.query_heads * shape.head_size}) &&
             has_shape(lengths, {sequences}) && cache_k.dim(0) >= sequences);
  cuda::attention_decode(stream_, typed(out), typed(qkv), typed(cache_k), typed(cache_v),
                         lengths.i32(), sequences, cache_shape(cache_k, shape));
  launched("attention_decode", {&qkv, &cache_k});
}

}  // namespace lmpo

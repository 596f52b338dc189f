// Attention of new tokens over a cache of keys and values.
#include <algorithm>

#include "base/threads.h"
#include "ops/cpu/attention_pack.h"
#include "ops/cpu/cpu_ops.h"

namespace lmpo {
namespace {

void check_caches(Tensor cache_k, Tensor cache_v, const AttentionShape& shape) {
  LMPO_CHECK(cache_k.rank() == 3 && cache_k.same_shape(cache_v) &&
             cache_k.dim(2) == shape.key_width());
}

// Where the slots of sequence b begin for a key head.
cpu::HeadResult slots(Tensor cache, std::int64_t b, std::int64_t slot, std::int64_t key_head,
                      std::int64_t head_size) {
  const std::int64_t width = cache.dim(2);
  return {cache.f32() + (b * cache.dim(1) + slot) * width + key_head * head_size, width};
}

}  // namespace

void CpuOps::run(const StoreKeys& op) {
  check_caches(op.cache_k, op.cache_v, op.shape);
  LMPO_CHECK(op.begin >= 0 && op.begin <= op.end && op.end <= op.qkv.dim(0) &&
             op.end - op.begin <= op.cache_k.dim(1) && op.sequence >= 0 &&
             op.sequence < op.cache_k.dim(0));
  const cpu::PackedHeads heads(op.qkv, op.shape);
  const std::int64_t width = op.cache_k.dim(2);
  parallel_for(op.end - op.begin, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t slot = first; slot < last; ++slot) {
      std::copy_n(heads.key(op.begin + slot, 0).data, width,
                  slots(op.cache_k, op.sequence, slot, 0, op.shape.head_size).data);
      std::copy_n(heads.value(op.begin + slot, 0).data, width,
                  slots(op.cache_v, op.sequence, slot, 0, op.shape.head_size).data);
    }
  });
}

void CpuOps::run(const AttentionDecode& op) {
  const std::int64_t sequences = op.qkv.dim(0);
  const std::int64_t size = op.shape.head_size;
  const std::int64_t out_width = op.shape.out_width();
  check_caches(op.cache_k, op.cache_v, op.shape);
  LMPO_CHECK(has_shape(op.out, {sequences, out_width}) && has_shape(op.lengths, {sequences}) &&
             op.cache_k.dim(0) >= sequences);
  const cpu::PackedHeads heads(op.qkv, op.shape);
  parallel_each(sequences * op.shape.key_heads, [&](std::int64_t index) {
    const std::int64_t b = index / op.shape.key_heads;
    const std::int64_t key_head = index % op.shape.key_heads;
    const std::int64_t slot = op.lengths.i32()[b];
    LMPO_CHECK(slot >= 0 && slot < op.cache_k.dim(1));
    std::copy_n(heads.key(b, key_head).data, size, slots(op.cache_k, b, slot, key_head, size).data);
    std::copy_n(heads.value(b, key_head).data, size,
                slots(op.cache_v, b, slot, key_head, size).data);
    const std::int64_t oldest =
        op.shape.window == 0 ? 0 : std::max<std::int64_t>(0, slot + 1 - op.shape.window);
    // The queries of a group lie side by side: rows of one matrix.
    for (std::int64_t first = 0; first < heads.group(); first += cpu::kQueryBlock) {
      const std::int64_t head = key_head * heads.group() + first;
      const std::int64_t count = std::min(cpu::kQueryBlock, heads.group() - first);
      cpu::AttentionBlock block(op.shape, {heads.query(b, head).data, size},
                                {op.out.f32() + b * out_width + head * size, size}, count);
      for (std::int64_t key = oldest; key <= slot; key += cpu::kKeyBlock) {
        const std::int64_t keys = std::min(cpu::kKeyBlock, slot + 1 - key);
        cpu::VisibleRows visible;
        visible.fill({0, keys});
        const cpu::HeadResult k = slots(op.cache_k, b, key, key_head, size);
        const cpu::HeadResult v = slots(op.cache_v, b, key, key_head, size);
        block.add_tile({k.data, k.stride}, {v.data, v.stride}, keys, visible);
      }
      block.finish();
    }
  });
}

}  // namespace lmpo

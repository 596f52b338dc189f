// Attention of new tokens over a cache of keys and values.
#include <algorithm>

#include "base/threads.h"
#include "ops/cpu/attention_pack.h"
#include "ops/cpu/cpu_ops.h"

namespace lmpo {
namespace {

void check_caches(Tensor cache_k, Tensor cache_v, const AttentionShape& shape) {
  LMPO_CHECK(cache_k.rank() == 3 && cache_k.same_shape(cache_v) &&
             cache_k.dim(2) == shape.key_heads * shape.head_size);
}

// Where the slots of sequence b begin for a key head.
cpu::HeadResult slots(Tensor cache, std::int64_t b, std::int64_t slot, std::int64_t key_head,
                      std::int64_t head_size) {
  const std::int64_t width = cache.dim(2);
  return {cache.f32() + (b * cache.dim(1) + slot) * width + key_head * head_size, width};
}

}  // namespace

void CpuOps::store_keys(Tensor cache_k, Tensor cache_v, Tensor qkv, std::int64_t begin,
                        std::int64_t end, std::int64_t b, const AttentionShape& shape) {
  check_caches(cache_k, cache_v, shape);
  LMPO_CHECK(begin >= 0 && begin <= end && end <= qkv.dim(0) && end - begin <= cache_k.dim(1) &&
             b >= 0 && b < cache_k.dim(0));
  const cpu::PackedHeads heads(qkv, shape);
  const std::int64_t width = cache_k.dim(2);
  parallel_for(end - begin, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t slot = first; slot < last; ++slot) {
      std::copy_n(heads.key(begin + slot, 0).data, width,
                  slots(cache_k, b, slot, 0, shape.head_size).data);
      std::copy_n(heads.value(begin + slot, 0).data, width,
                  slots(cache_v, b, slot, 0, shape.head_size).data);
    }
  });
}

void CpuOps::attention_decode(Tensor out, Tensor qkv, Tensor cache_k, Tensor cache_v,
                              Tensor lengths, const AttentionShape& shape) {
  const std::int64_t sequences = qkv.dim(0);
  const std::int64_t size = shape.head_size;
  const std::int64_t out_width = shape.query_heads * size;
  check_caches(cache_k, cache_v, shape);
  LMPO_CHECK(has_shape(out, {sequences, out_width}) && has_shape(lengths, {sequences}) &&
             cache_k.dim(0) >= sequences);
  const cpu::PackedHeads heads(qkv, shape);
  parallel_each(sequences * shape.key_heads, [&](std::int64_t index) {
    const std::int64_t b = index / shape.key_heads;
    const std::int64_t key_head = index % shape.key_heads;
    const std::int64_t slot = lengths.i32()[b];
    LMPO_CHECK(slot >= 0 && slot < cache_k.dim(1));
    std::copy_n(heads.key(b, key_head).data, size, slots(cache_k, b, slot, key_head, size).data);
    std::copy_n(heads.value(b, key_head).data, size, slots(cache_v, b, slot, key_head, size).data);
    const std::int64_t oldest =
        shape.window == 0 ? 0 : std::max<std::int64_t>(0, slot + 1 - shape.window);
    // The queries of a group lie side by side: rows of one matrix.
    for (std::int64_t first = 0; first < heads.group(); first += cpu::query_block) {
      const std::int64_t head = key_head * heads.group() + first;
      const std::int64_t count = std::min(cpu::query_block, heads.group() - first);
      cpu::AttentionBlock block({heads.query(b, head).data, size},
                                {out.f32() + b * out_width + head * size, size}, count, size);
      for (std::int64_t key = oldest; key <= slot; key += cpu::key_block) {
        const std::int64_t keys = std::min(cpu::key_block, slot + 1 - key);
        cpu::VisibleRows visible;
        visible.fill({0, keys});
        const cpu::HeadResult k = slots(cache_k, b, key, key_head, size);
        const cpu::HeadResult v = slots(cache_v, b, key, key_head, size);
        block.add_tile({k.data, k.stride}, {v.data, v.stride}, keys, visible);
      }
      block.finish();
    }
  });
}

}  // namespace lmpo

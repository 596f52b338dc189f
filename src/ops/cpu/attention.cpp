#include <vector>

#include "base/threads.h"
#include "ops/cpu/attention_pack.h"
#include "ops/cpu/cpu_ops.h"

namespace lmpo {
namespace {

struct QueryBlock {
  const Pack::Segment* segment;
  std::int64_t begin;
  std::int64_t end;
};

std::vector<QueryBlock> cut_queries(std::span<const Pack::Segment> segments) {
  std::vector<QueryBlock> blocks;
  for (const Pack::Segment& segment : segments) {
    for (std::int64_t begin = segment.begin; begin < segment.end; begin += cpu::query_block) {
      blocks.push_back(
          {&segment, begin, std::min<std::int64_t>(begin + cpu::query_block, segment.end)});
    }
  }
  return blocks;
}

}  // namespace

void CpuOps::attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                               std::span<const Pack::Segment> segments,
                               const AttentionShape& shape) {
  const std::int64_t tokens = qkv.dim(0);
  const std::int64_t out_width = shape.query_heads * shape.head_size;
  LMPO_CHECK(has_shape(out, {tokens, out_width}) && has_shape(positions, {tokens}) &&
             has_shape(lse, {shape.query_heads, tokens}));
  cpu::check_segments(segments, tokens);
  const cpu::PackedHeads heads(qkv, shape);
  const cpu::PackKeys keys{positions.i32(), shape.window};
  const std::vector<QueryBlock> blocks = cut_queries(segments);
  const auto block_count = static_cast<std::int64_t>(blocks.size());
  parallel_each(shape.query_heads * block_count, [&](std::int64_t index) {
    const std::int64_t head = index / block_count;
    const std::int64_t key_head = head / heads.group();
    const auto [segment, begin, end] = blocks[static_cast<std::size_t>(index % block_count)];
    const cpu::HeadRows block_out{out.f32() + begin * out_width + head * shape.head_size,
                                  out_width};
    cpu::AttentionBlock block(heads.query(begin, head), block_out, end - begin, shape.head_size);
    const auto first_query = begin;
    const auto last_query = end;
    keys.for_tiles(*segment, begin, end, [&](std::int64_t key, std::int64_t count) {
      block.add_tile(heads.key(key, key_head), heads.value(key, key_head), count,
                     keys.visible(first_query, last_query, key, count));
    });
    block.finish();
    for (std::int64_t query = begin; query < end; ++query) {
      lse.f32()[head * tokens + query] = block.log_sum_exp(query - begin);
    }
  });
}

}  // namespace lmpo

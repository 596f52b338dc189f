#include "ops/cuda/geometry.h"

#include "base/error.h"

namespace lmpo::cuda {
namespace {

constexpr std::int64_t kAlignment = 64;  // float32 elements

// Elements of float32 that so many of a type take.
std::int64_t floats(std::int64_t count, Dtype dtype) {
  const auto bytes = count * static_cast<std::int64_t>(dtype_size(dtype));
  return (bytes + 4 * kAlignment - 1) / (4 * kAlignment) * kAlignment;
}

// How much of a pack a block of queries sees at most.
std::int64_t work(const QueryBlock& block) {
  return block.context_end - block.context_begin + block.begin + block.count - block.own_begin;
}

}  // namespace

HeadWorkspace::HeadWorkspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                             Dtype compute, Dtype storage)
    : chunk(std::min(rows, kHeadRows)), tile(std::min(vocabulary, kHeadTokens)) {
  std::int64_t next = 0;
  const auto take = [&next](std::int64_t count, Dtype dtype) {
    const std::int64_t begin = next;
    next += floats(count, dtype);
    return begin;
  };
  const bool rounds = compute != Dtype::f32;
  logits = take(chunk * tile, Dtype::f32);
  sums = take(rows, Dtype::f32);
  gradients = rounds ? take(chunk * tile, compute) : logits;
  dhidden = rounds ? take(chunk * hidden, Dtype::f32) : 0;
  weights = storage == compute ? 0 : take(tile * hidden, compute);
  total = next;
}

AttentionGrid::AttentionGrid(std::span<const Pack::Segment> segments,
                             std::int32_t queries_in_block) {
  const auto for_blocks = [](const Pack::Segment& segment, std::int32_t size, const auto& body) {
    for (std::int32_t begin = segment.begin; begin < segment.end; begin += size) {
      body(begin, std::min(size, segment.end - begin));
    }
  };
  for (const Pack::Segment& segment : segments) {
    for_blocks(segment, queries_in_block, [&](std::int32_t begin, std::int32_t count) {
      queries.push_back({begin, count, segment.context_begin, segment.context_end, segment.begin});
    });
  }
  std::ranges::stable_sort(
      queries, [](const QueryBlock& a, const QueryBlock& b) { return work(a) > work(b); });

  std::vector<std::int64_t> queries_of;  // a key block's, in number
  for (std::size_t s = 0; s < segments.size(); ++s) {
    for_blocks(segments[s], kAttentionBlock, [&](std::int32_t begin, std::int32_t count) {
      const auto first_run = static_cast<std::int32_t>(runs.size());
      std::int64_t seen = 0;
      for (std::size_t other = s; other < segments.size(); ++other) {
        const Pack::Segment& from = segments[other];
        const bool own = other == s;
        if (own || (from.context_begin < begin + count && from.context_end > begin)) {
          runs.push_back({own ? begin : from.begin, from.end, from.context_begin, from.context_end,
                          from.begin});
          seen += runs.back().end - runs.back().begin;
        }
      }
      keys.push_back({begin, count, first_run, static_cast<std::int32_t>(runs.size())});
      queries_of.push_back(seen);
    });
  }
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return queries_of[a] > queries_of[b]; });
  std::vector<KeyBlock> sorted;
  for (const std::size_t i : order) {
    sorted.push_back(keys[i]);
  }
  keys = std::move(sorted);
}

std::size_t AttentionGrid::bytes() const {
  const auto of = [](const auto& items) {
    return (items.size() * sizeof(items[0]) + 15) / 16 * 16;
  };
  return of(queries) + of(keys) + of(runs);
}

void require_tables(std::span<const Pack::Segment> segments, std::int64_t query_heads,
                    std::int64_t key_heads) {
  const AttentionGrid grid(segments, queries_in_block(query_heads, key_heads));
  if (grid.bytes() > kTableBytes) {
    user_error(
        "{} prompts and responses that are computed at once are more than attention's tables on a "
        "GPU hold ({} of {} bytes): choose a smaller --per_device_train_batch_size, "
        "--per_device_eval_batch_size or --max_pack_tokens",
        segments.size(), grid.bytes(), kTableBytes);
  }
}

void require_sizes(std::int64_t norm, std::int64_t query_heads, std::int64_t head_size) {
  const auto require = [](const char* key, std::int64_t size, std::int64_t largest) {
    if (size > largest) {
      user_error(
          "config.json: {} is {}; lmpo computes at most {} on a GPU. Use --device cpu, which has "
          "no such limit",
          key, size, largest);
    }
  };
  require("hidden_size, or num_attention_heads x head_dim where one norm takes all heads,", norm,
          kLargestNorm);
  require("num_attention_heads", query_heads, kMostHeads);
  require("head_dim (or hidden_size / num_attention_heads)", head_size, kLargestHead);
}

}  // namespace lmpo::cuda

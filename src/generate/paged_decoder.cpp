#include "generate/paged_decoder.h"

#include <algorithm>

#include "model/device_pack.h"

namespace lmpo {

PagedDecoder::PagedDecoder(Weights& weights, Ops& ops, Arena& arena, const Size& size,
                           RowSums row_sums)
    : weights_(weights),
      ops_(ops),
      arena_(arena),
      size_(size),
      embedding_(weights, ops, arena),
      block_(weights, ops, arena, size.max_length, row_sums),
      head_(weights, ops, arena) {
  const ModelConfig& config = weights.config();
  for (std::int64_t l = 0; l < config.layers; ++l) {
    for (std::vector<Tensor>* cache : {&keys_, &values_}) {
      cache->push_back(
          arena.allocate("key-value cache", ops.compute_dtype(),
                         {size.pages, size.page_tokens, config.key_heads * config.head_size}));
    }
  }
}

std::int64_t PagedDecoder::add(PagedBatch& batch, std::span<const std::int32_t> tokens,
                               std::int64_t begin, std::span<const std::int32_t> pages,
                               std::int64_t length) const {
  const std::int64_t row = std::ssize(batch.tokens);
  const std::int64_t end = begin + std::ssize(tokens);
  LMPO_CHECK(!tokens.empty() && end <= length && length <= size_.max_length &&
             std::ssize(pages) == size_.pages_of(end));
  batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end());
  for (std::int64_t position = begin; position < end; ++position) {
    batch.rotary_rows.push_back(block_.rotary().row(position, length));
    const std::int64_t page = pages[static_cast<std::size_t>(position / size_.page_tokens)];
    batch.slots.push_back(
        static_cast<std::int32_t>(page * size_.page_tokens + position % size_.page_tokens));
  }
  batch.begins.push_back(static_cast<std::int32_t>(std::ssize(batch.tokens)));
  batch.lengths.push_back(static_cast<std::int32_t>(end));
  batch.pages.insert(batch.pages.end(), pages.begin(), pages.end());
  batch.pages.resize(static_cast<std::size_t>(batch.sequences() * size_.pages_of(size_.max_length)),
                     0);
  return row;
}

void PagedDecoder::run(const PagedBatch& batch, std::int64_t at_once, const TakeLogits& take) {
  const Arena::Scope scope(arena_);
  const auto upload = [&](std::span<const std::int32_t> values) {
    return upload_indices(values, ops_, arena_);
  };
  const Tensor x = embedding_.forward(upload(batch.tokens));
  const Tensor rows = upload(batch.rotary_rows);
  const Tensor slots = upload(batch.slots);
  const Tensor begins = upload(batch.begins);
  const Tensor lengths = upload(batch.lengths);
  const Tensor pages =
      upload(batch.pages).reshaped({batch.sequences(), size_.pages_of(size_.max_length)});
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    block_.forward_in_place(l, rows, x, [&](const Block::Attention& attention) {
      ops_.run(StorePages{.cache_k = keys_[l],
                          .cache_v = values_[l],
                          .qkv = attention.qkv,
                          .slots = slots,
                          .shape = attention.shape});
      ops_.run(AttentionPaged{.out = attention.out,
                              .qkv = attention.qkv,
                              .cache_k = keys_[l],
                              .cache_v = values_[l],
                              .begins = begins,
                              .lengths = lengths,
                              .pages = pages,
                              .shape = attention.shape});
    });
  }
  const std::int64_t width = weights_.config().hidden_size;
  for (std::int64_t first = 0; first < std::ssize(batch.wanted); first += at_once) {
    const Arena::Scope group(arena_);
    const std::int64_t count = std::min(at_once, std::ssize(batch.wanted) - first);
    const Tensor chosen = arena_.allocate("activations", x.dtype(), {count, width});
    ops_.run(GatherRows{.y = chosen,
                        .x = x,
                        .rows = upload(std::span(batch.wanted)
                                           .subspan(static_cast<std::size_t>(first),
                                                    static_cast<std::size_t>(count)))});
    logits_.resize(static_cast<std::size_t>(count * weights_.config().vocab_size));
    head_.logits(chosen, logits_);
    take(first, logits_);
  }
}

void PagedDecoder::copy_page(std::int32_t from, std::int32_t to) {
  for (const std::vector<Tensor>* caches : {&keys_, &values_}) {
    for (const Tensor& cache : *caches) {
      ops_.run(Copy{.out = cache.rows(to, to + 1), .in = cache.rows(from, from + 1)});
    }
  }
}

}  // namespace lmpo

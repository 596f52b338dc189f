#include "generate/decoder.h"

#include <algorithm>
#include <numeric>

namespace lmpo {
namespace {

// begin, begin + 1, ... of sequences' positions.
std::vector<std::int32_t> counted(std::int64_t begin, std::int64_t count) {
  std::vector<std::int32_t> positions(static_cast<std::size_t>(count));
  std::iota(positions.begin(), positions.end(), static_cast<std::int32_t>(begin));
  return positions;
}

}  // namespace

Decoder::Decoder(Weights& weights, Ops& ops, Arena& arena, std::int64_t slots,
                 std::int64_t max_length)
    : weights_(weights),
      ops_(ops),
      arena_(arena),
      config_(weights.config()),
      embedding_(weights, ops, arena),
      block_(weights, ops, arena, max_length),
      head_(weights, ops, arena),
      max_length_(max_length),
      slots_(static_cast<std::size_t>(slots)) {
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    for (std::vector<Tensor>* cache : {&keys_, &values_}) {
      cache->push_back(arena.allocate("key-value cache", ops.compute_dtype(),
                                      {slots, max_length, config_.key_heads * config_.head_size}));
    }
  }
}

std::int64_t Decoder::most_at_once(std::int64_t tokens) const {
  const Rotary& rotary = block_.rotary();
  return rotary.is_long(max_length_) ? std::max(tokens, rotary.longest_short()) : tokens;
}

Tensor Decoder::read(std::int64_t slot, std::span<const std::int32_t> tokens, std::int64_t length) {
  const auto count = std::ssize(tokens);
  const Tensor x = embedding_.forward(upload(tokens));
  const Tensor positions = upload(counted(0, count));
  const Tensor rows = rotary_rows(positions, counted(block_.rotary().row(0, length), count));
  const Pack::Segment whole = {0, static_cast<std::int32_t>(count), 0, 0};
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    block_.forward_in_place(l, rows, x, [&](const Block::Attention& attention) {
      ops_.run(AttentionForward{.out = attention.out,
                                .lse = attention.lse,
                                .qkv = attention.qkv,
                                .positions = positions,
                                .segments = {&whole, 1},
                                .shape = attention.shape});
      ops_.run(StoreKeys{.cache_k = keys_[l],
                         .cache_v = values_[l],
                         .qkv = attention.qkv,
                         .begin = 0,
                         .end = count,
                         .sequence = slot,
                         .shape = attention.shape});
    });
  }
  at(slot).is_long = block_.rotary().is_long(length);
  return x;
}

void Decoder::prepare(std::int64_t slot, std::int64_t length) {
  Slot& grown = at(slot);
  if (block_.rotary().is_long(length) != grown.is_long && !grown.tokens.empty()) {
    const Arena::Scope scope(arena_);
    read(slot, grown.tokens, length);
  }
  grown.is_long = block_.rotary().is_long(length);
}

void Decoder::prefill(std::int64_t slot, std::span<const std::int32_t> prompt,
                      std::span<float> logits) {
  const auto length = std::ssize(prompt);
  LMPO_CHECK(length >= 1 && length <= max_length_);
  const Arena::Scope scope(arena_);
  const Tensor x = read(slot, prompt, length);
  at(slot).tokens.assign(prompt.begin(), prompt.end());
  head_.logits(x.rows(length - 1, length), logits);
}

void Decoder::extend(std::int64_t slot, std::span<const std::int32_t> tokens,
                     std::span<float> logits) {
  const auto count = std::ssize(tokens);
  const std::int64_t begin = length(slot);
  LMPO_CHECK(count >= 1 && begin + count <= max_length_);
  prepare(slot, begin + count);
  const Arena::Scope scope(arena_);
  const Tensor x = embedding_.forward(upload(tokens));
  const Tensor positions = upload(counted(begin, count));
  const Tensor rows =
      rotary_rows(positions, counted(block_.rotary().row(begin, begin + count), count));
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    const Tensor keys = keys_[l].rows(slot, slot + 1);
    const Tensor values = values_[l].rows(slot, slot + 1);
    block_.forward_in_place(l, rows, x, [&](const Block::Attention& attention) {
      // One token after another: each finds the keys of those before it.
      for (std::int64_t t = 0; t < count; ++t) {
        ops_.run(AttentionDecode{.out = attention.out.rows(t, t + 1),
                                 .qkv = attention.qkv.rows(t, t + 1),
                                 .cache_k = keys,
                                 .cache_v = values,
                                 .lengths = positions.rows(t, t + 1),
                                 .shape = attention.shape});
      }
    });
  }
  at(slot).tokens.insert(at(slot).tokens.end(), tokens.begin(), tokens.end());
  head_.logits(x.rows(count - 1, count), logits);
}

void Decoder::truncate(std::int64_t slot, std::int64_t length) {
  LMPO_CHECK(length >= 0 && length <= this->length(slot));
  at(slot).tokens.resize(static_cast<std::size_t>(length));
}

void Decoder::fork(std::int64_t from, std::int64_t to, std::int64_t length) {
  LMPO_CHECK(from != to && length >= 1 && length <= this->length(from));
  for (const std::vector<Tensor>* caches : {&keys_, &values_}) {
    for (const Tensor& cache : *caches) {
      const auto first_tokens = [&](std::int64_t slot) {
        return cache.rows(slot, slot + 1).reshaped({max_length_, cache.dim(2)}).rows(0, length);
      };
      ops_.run(Copy{.out = first_tokens(to), .in = first_tokens(from)});
    }
  }
  at(to) = at(from);
  truncate(to, length);
}

void Decoder::step(std::span<const std::int32_t> tokens, std::span<float> logits) {
  LMPO_CHECK(tokens.size() == slots_.size());
  std::vector<std::int32_t> positions;  // of the new tokens, and their places in the cache
  std::vector<std::int32_t> in_tables;
  for (std::int64_t slot = 0; slot < slots(); ++slot) {
    prepare(slot, length(slot) + 1);
    positions.push_back(static_cast<std::int32_t>(length(slot)));
    in_tables.push_back(block_.rotary().row(length(slot), length(slot) + 1));
  }
  const Arena::Scope scope(arena_);
  const Tensor x = embedding_.forward(upload(tokens));
  const Tensor lengths = upload(positions);
  const Tensor rows = rotary_rows(lengths, in_tables);
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    block_.forward_in_place(l, rows, x, [&](const Block::Attention& attention) {
      ops_.run(AttentionDecode{.out = attention.out,
                               .qkv = attention.qkv,
                               .cache_k = keys_[l],
                               .cache_v = values_[l],
                               .lengths = lengths,
                               .shape = attention.shape});
    });
  }
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (!slots_[slot].tokens.empty()) {
      slots_[slot].tokens.push_back(tokens[slot]);
    }
  }
  head_.logits(x, logits);
}

Tensor Decoder::rotary_rows(Tensor positions, std::span<const std::int32_t> rows) {
  return block_.rotary().longest_short() > 0 ? upload(rows) : positions;
}

Tensor Decoder::upload(std::span<const std::int32_t> values) {
  return upload_indices(values, ops_, arena_);
}

}  // namespace lmpo

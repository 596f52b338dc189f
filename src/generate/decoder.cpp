#include "generate/decoder.h"

#include <numeric>

namespace lmpo {

Decoder::Decoder(Weights& weights, Ops& ops, Arena& arena, std::int64_t slots,
                 std::int64_t max_length)
    : weights_(weights),
      ops_(ops),
      arena_(arena),
      config_(weights.config()),
      block_(config_, ops, arena, max_length),
      max_length_(max_length),
      lengths_(static_cast<std::size_t>(slots), 0) {
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    for (std::vector<Tensor>* cache : {&keys_, &values_}) {
      cache->push_back(arena.allocate("key-value cache", ops.compute_dtype(),
                                      {slots, max_length, config_.key_heads * config_.head_size}));
    }
  }
}

void Decoder::prefill(std::int64_t slot, std::span<const std::int32_t> prompt,
                      std::span<float> logits) {
  const auto length = static_cast<std::int64_t>(prompt.size());
  LMPO_CHECK(length >= 1 && length <= max_length_);
  const Arena::Scope scope(arena_);
  std::vector<std::int32_t> counted(prompt.size());
  std::iota(counted.begin(), counted.end(), 0);
  const Tensor tokens = upload(prompt);
  const Tensor positions = upload(counted);
  const Pack::Segment whole = {0, static_cast<std::int32_t>(length), 0, 0};
  const Tensor x = block_.activation(length, config_.hidden_size);
  ops_.run(EmbeddingForward{.y = x, .table = weights_.embedding.value, .tokens = tokens});
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    block_.forward_in_place(weights_.layers[l], positions, x, [&](const LayerState& state) {
      ops_.run(AttentionForward{.out = state.attention,
                                .lse = state.lse,
                                .qkv = state.qkv,
                                .positions = positions,
                                .segments = {&whole, 1},
                                .shape = block_.shape()});
      ops_.run(StoreKeys{.cache_k = keys_[l],
                         .cache_v = values_[l],
                         .qkv = state.qkv,
                         .begin = 0,
                         .end = length,
                         .sequence = slot,
                         .shape = block_.shape()});
    });
  }
  lengths_[static_cast<std::size_t>(slot)] = static_cast<std::int32_t>(length);
  logits_of(x.rows(length - 1, length), logits);
}

void Decoder::extend(std::int64_t slot, std::span<const std::int32_t> tokens,
                     std::span<float> logits) {
  const auto count = static_cast<std::int64_t>(tokens.size());
  std::int32_t& length = lengths_[static_cast<std::size_t>(slot)];
  LMPO_CHECK(count >= 1 && length + count <= max_length_);
  const Arena::Scope scope(arena_);
  std::vector<std::int32_t> counted(tokens.size());
  std::iota(counted.begin(), counted.end(), length);
  const Tensor inputs = upload(tokens);
  const Tensor positions = upload(counted);
  const Tensor x = block_.activation(count, config_.hidden_size);
  ops_.run(EmbeddingForward{.y = x, .table = weights_.embedding.value, .tokens = inputs});
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    const Tensor keys = keys_[l].rows(slot, slot + 1);
    const Tensor values = values_[l].rows(slot, slot + 1);
    block_.forward_in_place(weights_.layers[l], positions, x, [&](const LayerState& state) {
      // One token after another: each finds the keys of those before it.
      for (std::int64_t t = 0; t < count; ++t) {
        ops_.run(AttentionDecode{.out = state.attention.rows(t, t + 1),
                                 .qkv = state.qkv.rows(t, t + 1),
                                 .cache_k = keys,
                                 .cache_v = values,
                                 .lengths = positions.rows(t, t + 1),
                                 .shape = block_.shape()});
      }
    });
  }
  length += static_cast<std::int32_t>(count);
  logits_of(x.rows(count - 1, count), logits);
}

void Decoder::truncate(std::int64_t slot, std::int64_t length) {
  LMPO_CHECK(length >= 0 && length <= this->length(slot));
  lengths_[static_cast<std::size_t>(slot)] = static_cast<std::int32_t>(length);
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
  lengths_[static_cast<std::size_t>(to)] = static_cast<std::int32_t>(length);
}

void Decoder::step(std::span<const std::int32_t> tokens, std::span<float> logits) {
  LMPO_CHECK(tokens.size() == lengths_.size());
  const Arena::Scope scope(arena_);
  const Tensor inputs = upload(tokens);
  const Tensor lengths = upload(lengths_);  // the new token's position, and its slot in the cache
  const Tensor x = block_.activation(slots(), config_.hidden_size);
  ops_.run(EmbeddingForward{.y = x, .table = weights_.embedding.value, .tokens = inputs});
  for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
    block_.forward_in_place(weights_.layers[l], lengths, x, [&](const LayerState& state) {
      ops_.run(AttentionDecode{.out = state.attention,
                               .qkv = state.qkv,
                               .cache_k = keys_[l],
                               .cache_v = values_[l],
                               .lengths = lengths,
                               .shape = block_.shape()});
    });
  }
  for (std::int32_t& length : lengths_) {
    length += length > 0 ? 1 : 0;
  }
  logits_of(x, logits);
}

Tensor Decoder::upload(std::span<const std::int32_t> values) {
  const Tensor result =
      arena_.allocate("indices", Dtype::i32, {static_cast<std::int64_t>(values.size())});
  ops_.upload(result, values.data());
  return result;
}

void Decoder::logits_of(Tensor x, std::span<float> logits) {
  LMPO_CHECK(static_cast<std::int64_t>(logits.size()) == x.dim(0) * config_.vocab_size);
  const Tensor rstd = arena_.allocate("activations", Dtype::f32, {x.dim(0)});
  const Tensor normed = block_.activation(x.dim(0), config_.hidden_size);
  const Tensor result = block_.activation(x.dim(0), config_.vocab_size);
  ops_.run(RmsNormForward{.y = normed,
                          .rstd = rstd,
                          .x = x,
                          .w = weights_.final_norm.value,
                          .eps = config_.rms_norm_eps});
  ops_.run(
      LinearForward{.y = result, .x = normed, .w = weights_.head.value, .part = StepPart::head});
  const Tensor as_float =
      result.dtype() == Dtype::f32
          ? result
          : arena_.allocate("activations", Dtype::f32, {x.dim(0), config_.vocab_size});
  if (result.dtype() != Dtype::f32) {
    ops_.run(Cast{.out = as_float, .in = result});
  }
  ops_.download(logits.data(), as_float);
}

}  // namespace lmpo

// One pass of the model over new tokens of several sequences, whose keys and values lie in pages of
// a cache.
//
// All memory comes from the arena: the cache is 2 * L * P * S * K*E values. On a CPU, with sums of
// rows that are independent, a sequence's logits are the same bits whatever the other sequences are,
// however its tokens are divided among passes, and wherever its pages lie. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/block.h"
#include "model/embedding.h"
#include "model/output_head.h"
#include "model/weights.h"

namespace lmpo {

// New tokens of R sequences, T in all.
struct PagedBatch {
  std::vector<std::int32_t> tokens;        // [T]
  std::vector<std::int32_t> rotary_rows;   // [T]
  std::vector<std::int32_t> slots;         // [T], page * S + place
  std::vector<std::int32_t> begins = {0};  // [R+1], of each sequence's tokens
  std::vector<std::int32_t> lengths;       // [R], with the new tokens
  std::vector<std::int32_t> pages;         // [R, N], of each sequence in order; the rest is 0
  std::vector<std::int32_t> wanted;        // rows of T whose logits are wanted, rising

  std::int64_t sequences() const { return std::ssize(lengths); }
};

class PagedDecoder {
 public:
  // P pages of S tokens; sequences of at most max_length tokens, and so of N = ceil(max_length / S)
  // pages. Weights, ops and arena must outlive the decoder.
  struct Size {
    std::int64_t pages = 0;
    std::int64_t page_tokens = 0;
    std::int64_t max_length = 0;

    std::int64_t pages_of(std::int64_t tokens) const {
      return (tokens + page_tokens - 1) / page_tokens;
    }
  };
  PagedDecoder(Weights& weights, Ops& ops, Arena& arena, const Size& size,
               RowSums row_sums = RowSums::independent);

  // Adds tokens to a batch: those of a sequence from position `begin` on, which lie in `pages`, its
  // first page first. `length` is that of the whole sequence, of which the tokens are a part: it
  // decides between rotary tables. Gives the row of the first.
  std::int64_t add(PagedBatch& batch, std::span<const std::int32_t> tokens, std::int64_t begin,
                   std::span<const std::int32_t> pages, std::int64_t length) const;

  // Logits [count, V] of batch.wanted[first, first + count).
  using TakeLogits = std::function<void(std::int64_t first, std::span<const float> logits)>;
  // Computes keys, values and logits. Calls take() for at most `at_once` rows of logits at a time.
  void run(const PagedBatch& batch, std::int64_t at_once, const TakeLogits& take);

  // Copies page `from` to page `to`, of every layer.
  void copy_page(std::int32_t from, std::int32_t to);

  // Sequences of different kinds share no keys: their rotary tables differ.
  std::int64_t kind(std::int64_t length) const { return block_.rotary().is_long(length) ? 1 : 0; }
  const Size& size() const { return size_; }

 private:
  Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  Size size_;
  Embedding embedding_;
  Block block_;
  OutputHead head_;
  std::vector<Tensor> keys_;  // per layer [P, S, K*E]
  std::vector<Tensor> values_;
  std::vector<float> logits_;
};

}  // namespace lmpo

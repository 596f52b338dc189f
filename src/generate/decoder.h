// Incremental decoding: a key-value cache for a fixed number of slots, each holding one sequence.
//
// All memory comes from the arena: the cache is 2 * L * B * S * K*E values. A slot's result is the
// same bits whatever its number and whatever the other slots hold. Where a model has rotary tables
// for short and for long sequences, a slot whose sequence passes from one to the other is read again
// from its first token, as transformers does. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/block.h"
#include "model/embedding.h"
#include "model/output_head.h"
#include "model/weights.h"

namespace lmpo {

class Decoder {
 public:
  // B slots of at most S tokens. Weights, ops and arena must outlive the decoder.
  Decoder(Weights& weights, Ops& ops, Arena& arena, std::int64_t slots, std::int64_t max_length);

  // Starts a sequence in a slot: runs the prompt (1 to S tokens) and writes the logits after it.
  void prefill(std::int64_t slot, std::span<const std::int32_t> prompt, std::span<float> logits);
  // Extends the sequence of a slot by 1 or more tokens (S in total at most), as a step for each of
  // them would, and writes the logits after the last.
  void extend(std::int64_t slot, std::span<const std::int32_t> tokens, std::span<float> logits);
  // Forgets all but the first `length` tokens of a slot.
  void truncate(std::int64_t slot, std::int64_t length);
  // Starts a sequence in slot `to` with the first `length` tokens of slot `from`. The result is
  // that of a prefill, but nothing is computed again. Requires length <= length(from).
  void fork(std::int64_t from, std::int64_t to, std::int64_t length);
  // Appends one token to every slot and writes logits[B, V]. The token of an unused slot does not
  // matter. A slot that has reached S tokens must be released or started again first.
  void step(std::span<const std::int32_t> tokens, std::span<float> logits);

  std::int64_t slots() const { return static_cast<std::int64_t>(slots_.size()); }
  std::int64_t length(std::int64_t slot) const { return std::ssize(at(slot).tokens); }
  // Marks a slot as unused: it attends to one token, and its logits mean nothing.
  void release(std::int64_t slot) { at(slot).tokens.clear(); }
  std::int64_t max_length() const { return max_length_; }
  // The most tokens that are ever run at once where prefill and extend are given up to `tokens`.
  std::int64_t most_at_once(std::int64_t tokens) const;

 private:
  struct Slot {
    std::vector<std::int32_t> tokens;
    bool is_long = false;  // of the rotary rows that the cached keys were turned by
  };
  Slot& at(std::int64_t slot) { return slots_[static_cast<std::size_t>(slot)]; }
  const Slot& at(std::int64_t slot) const { return slots_[static_cast<std::size_t>(slot)]; }
  // Fills the cache of a slot that is to hold these tokens of a sequence of `length` tokens. Gives
  // the residual stream [T, D] in the caller's scope.
  Tensor read(std::int64_t slot, std::span<const std::int32_t> tokens, std::int64_t length);
  // Before a slot grows to `length` tokens: reads it again if they take other rotary rows.
  void prepare(std::int64_t slot, std::int64_t length);
  // On the device; positions themselves where no table has rows of its own for long sequences.
  Tensor rotary_rows(Tensor positions, std::span<const std::int32_t> rows);
  Tensor upload(std::span<const std::int32_t> values);

  Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  const ModelConfig& config_;
  Embedding embedding_;
  Block block_;
  OutputHead head_;
  std::int64_t max_length_;
  std::vector<Slot> slots_;   // B
  std::vector<Tensor> keys_;  // per layer [B, S, K*E]
  std::vector<Tensor> values_;
};

}  // namespace lmpo

// Incremental decoding: a key-value cache for a fixed number of slots, each holding one sequence.
//
// All memory comes from the arena: the cache is 2 * L * B * S * K*E values. A slot's result is the
// same bits whatever its number and whatever the other slots hold. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/block.h"
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

  std::int64_t slots() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t length(std::int64_t slot) const { return lengths_[static_cast<std::size_t>(slot)]; }
  // Marks a slot as unused: it attends to one token, and its logits mean nothing.
  void release(std::int64_t slot) { lengths_[static_cast<std::size_t>(slot)] = 0; }
  std::int64_t max_length() const { return max_length_; }

 private:
  Tensor upload(std::span<const std::int32_t> values);
  void logits_of(Tensor x, std::span<float> logits);

  Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  const ModelConfig& config_;
  Block block_;
  std::int64_t max_length_;
  std::vector<std::int32_t> lengths_;  // B
  std::vector<Tensor> keys_;           // per layer [B, S, K*E]
  std::vector<Tensor> values_;
};

}  // namespace lmpo

// Incremental decoding: a key-value cache for a fixed number of slots, each holding one sequence.
//
// All memory comes from the arena: the cache is 2 * L * B * S * K*E values. A slot's result
// depends neither on its number nor on what the other slots hold, to the last bit. Not thread-safe.
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
  // Goes on with the sequence of a slot (1 token or more, up to S in all), as a step for each token
  // would, and writes the logits after the last.
  void extend(std::int64_t slot, std::span<const std::int32_t> tokens, std::span<float> logits);
  // Forgets all but the first `length` tokens of a slot.
  void truncate(std::int64_t slot, std::int64_t length);
  // Starts a sequence in slot `to` with the first `length` tokens of slot `from`, as a prefill of
  // them would, without computing them again. `length` must not exceed length(from).
  void fork(std::int64_t from, std::int64_t to, std::int64_t length);
  // Appends one token to every slot and writes logits[B, V]. Slots that are not in use take any
  // token. A slot that has reached S tokens must be started anew first.
  void step(std::span<const std::int32_t> tokens, std::span<float> logits);

  std::int64_t slots() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t length(std::int64_t slot) const { return lengths_[static_cast<std::size_t>(slot)]; }
  // Marks a slot as not in use: it attends to one token and its logits mean nothing.
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

// The whole model over packs of trees: scores responses, and trains.
//
// The backward graph is fixed; only its seed changes: the objective turns the summed
// log-probabilities of the responses into dL/d(sum), and the same backward serves every objective.
// All memory comes from the arena, so running one step against a counting arena with plan ops is
// the plan. Not thread-safe; ops use the program's threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "model/block.h"
#include "model/device_pack.h"
#include "model/embedding.h"
#include "model/output_head.h"
#include "model/weights.h"
#include "tree/tree.h"

namespace lmpo {

// Which activations the backward pass computes again instead of keeping them. They are the same
// numbers, so results do not depend on it. Those of norms and of the gated unit are never kept.
enum class Recompute : std::uint8_t {
  none,
  mlp,     // gate and up: half of what is kept, a tenth more time
  layers,  // everything but the layer's input: a third more time
};

// "none", "mlp" or "layers".
Recompute parse_recompute(std::string_view name);
std::string_view recompute_name(Recompute recompute);

struct LanguageModelOptions {
  std::int64_t max_positions = 0;  // of the longest sequence; the size of the rotary table
  Recompute recompute = Recompute::none;
  // Whether the embedding's row of pad_token_id gets a gradient where the token is an input. False is
  // torch.nn.Embedding's padding_idx, as in transformers. A tied head's gradient is not affected.
  bool pad_gradient = true;
};

class LanguageModel {
 public:
  // Weights, ops and arena must outlive the model.
  LanguageModel(Weights& weights, Ops& ops, Arena& arena, const LanguageModelOptions& options);

  // Summed log-probability of each response's scored tokens (float32 per token, summed in double).
  void score(const Pack& pack, std::span<double> sums);
  // Of a reward model: one number a response. The pack's sequences come from reward_sequence.
  void reward(const Pack& pack, std::span<double> rewards);

  // Given the sums of the pack's responses, writes dL/d(sum) of each.
  using Seed = std::function<void(std::span<const double> sums, std::span<double> seeds)>;
  // Forward, seed, backward: adds to the weights' gradients.
  void train(const Pack& pack, const Seed& seed);

 private:
  DevicePack upload(const Pack& pack);
  // The residual stream [T, D] after the first `count` layers, nothing else kept.
  Tensor forward_layers(const DevicePack& pack, std::size_t count);
  Block::Attend attend_over(const DevicePack& pack);
  // What of a layer is kept from forward to backward.
  LayerState allocate_kept(std::int64_t tokens);
  // Adds to a state, in the caller's scope, what it does not keep.
  void allocate_rest(LayerState& state, std::int64_t tokens);
  // From the layer's input to the state of its attention and the stream after it.
  void forward_attention(std::size_t layer, const DevicePack& pack, Tensor x_in, LayerState& state);
  // Computes again what was not kept.
  void recompute(std::size_t layer, const DevicePack& pack, Tensor x_in, LayerState& state);
  void backward_layer(std::size_t layer, const DevicePack& pack, Tensor dx, Tensor x_in,
                      const LayerState& state);
  void backward_embedding(const DevicePack& pack, Tensor dx);
  void sum_by_response(const Pack& pack, Tensor logp, std::span<double> sums);
  // Asks for the seeds and spreads each over its response's tokens: dlogp[M].
  Tensor seed_tokens(const Pack& pack, Tensor logp, const Seed& seed);

  Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  const ModelConfig& config_;
  LanguageModelOptions options_;
  // Nothing below this layer trains, nor does the embedding where it is above 0: gradients end here.
  std::size_t first_trained_;
  Embedding embedding_;
  Block block_;
  OutputHead head_;
};

// A conversation as a reward model reads it: transformers takes the number at the last token that is
// not padding. One more token follows, whose value does not matter, because a sequence needs a
// scored token. `tokens` must not be empty.
Sequence reward_sequence(std::vector<std::int32_t> tokens, const ModelConfig& config);

}  // namespace lmpo

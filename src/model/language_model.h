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
#include "model/weights.h"
#include "tree/tree.h"

namespace lmpo {

// Which activations the backward pass computes again instead of keeping them. They are the same
// numbers, so results do not depend on it. Those of norms and SwiGLU are never kept.
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
  // Of a reward model: one number a response. The pack's sequences come from reward_sequence. The
  // last product is summed in double, so that a 16-bit compute type makes no ties.
  void reward(const Pack& pack, std::span<double> rewards);

  // Given the sums of the pack's responses, writes dL/d(sum) of each.
  using Seed = std::function<void(std::span<const double> sums, std::span<double> seeds)>;
  // Forward, seed, backward: adds to the weights' gradients.
  void train(const Pack& pack, const Seed& seed);

 private:
  // A pack's index arrays on the device, beside the pack itself.
  struct DevicePack {
    const Pack& pack;
    Tensor tokens;        // [T] i32
    Tensor positions;     // [T] i32
    Tensor head_rows;     // [N] i32
    Tensor target_row;    // [M] i32
    Tensor target_token;  // [M] i32
  };
  struct HeadState {
    Tensor x;       // [N, D], the rows that predict
    Tensor rstd;    // [N]
    Tensor normed;  // [N, D]
    Tensor lse;     // [N]
    Tensor logp;    // [M]
    Tensor workspace;
  };

  DevicePack upload(const Pack& pack);
  // The residual stream [T, D] after the first `count` layers, nothing else kept.
  Tensor forward_layers(const DevicePack& pack, std::size_t count);
  Tensor upload_indices(const std::vector<std::int32_t>& indices);
  Block::Attend attend_over(const DevicePack& pack);
  // What of a layer is kept from forward to backward.
  LayerState allocate_kept(std::int64_t tokens);
  // Adds to a state, in the caller's scope, what it does not keep.
  void allocate_rest(LayerState& state, std::int64_t tokens);
  // From the layer's input to the state of its attention and the stream after it.
  void forward_attention(const LayerWeights& layer, const DevicePack& pack, Tensor x_in,
                         LayerState& state);
  // Computes again what was not kept.
  void recompute(const LayerWeights& layer, const DevicePack& pack, Tensor x_in, LayerState& state);
  void backward_embedding(const DevicePack& pack, Tensor dx);
  void backward_layer(const LayerWeights& layer, const DevicePack& pack, Tensor dx, Tensor x_in,
                      const LayerState& state);
  // x, rstd and normed of the head's state.
  HeadState gather_head_rows(const DevicePack& pack, Tensor x);
  HeadState forward_head(const DevicePack& pack, Tensor x);
  void backward_head(const DevicePack& pack, const HeadState& head, Tensor dlogp, Tensor dx);
  std::vector<float> to_host(Tensor x);
  void sum_by_response(const Pack& pack, Tensor logp, std::span<double> sums);
  // Asks for the seeds and spreads each over its response's tokens: dlogp[M].
  Tensor seed_tokens(const Pack& pack, const HeadState& head, const Seed& seed);

  Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  const ModelConfig& config_;
  LanguageModelOptions options_;
  // Nothing below this layer trains, nor does the embedding where it is above 0: gradients end here.
  std::size_t first_trained_;
  Block block_;
};

// A conversation as a reward model reads it: transformers takes the number at the last token that is
// not padding. One more token follows, whose value does not matter, because a sequence needs a
// scored token. `tokens` must not be empty.
Sequence reward_sequence(std::vector<std::int32_t> tokens, const ModelConfig& config);

}  // namespace lmpo

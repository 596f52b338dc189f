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

// What of a layer's forward is computed again in its backward instead of being kept: the same
// numbers twice, so results do not depend on it. Norms and SwiGLU's product never are kept.
enum class Recompute : std::uint8_t {
  none,
  mlp,     // the products before SwiGLU: half of what is kept, a tenth more time
  layers,  // all but the layer's input: a third more time
};

// "none", "mlp" or "layers".
Recompute parse_recompute(std::string_view name);
std::string_view recompute_name(Recompute recompute);

struct LlamaOptions {
  std::int64_t max_positions = 0;  // longest sequence that will come; sizes the rotary table
  Recompute recompute = Recompute::none;
  // Whether the row of config.json's pad_token_id in the embedding has its gradient as an input.
  // Without it that is torch.nn.Embedding's padding_idx, as transformers makes it: the gradient as
  // an output stays, of a tied head too.
  bool pad_gradient = true;
};

class Llama {
 public:
  // Weights, ops and arena must outlive the model.
  Llama(Weights& weights, Ops& ops, Arena& arena, const LlamaOptions& options);

  // Summed log-probability of each response's scored tokens (float32 per token, summed in double).
  void score(const Pack& pack, std::span<double> sums);
  // A reward model's number for each response, whose sequences come from reward_sequence. The last
  // product is summed in double, so that a compute type of 16 bits makes no ties.
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
  // The residual stream [T, D] after the last layer, nothing else kept.
  Tensor forward_layers(const DevicePack& pack);
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
  LlamaOptions options_;
  Block block_;
};

// A conversation as a reward model reads it: at its last token that is not padding, as transformers
// does. What would come next is that token's one scored token, and no one looks at which it is.
// `tokens` must not be empty.
Sequence reward_sequence(std::vector<std::int32_t> tokens, const ModelConfig& config);

}  // namespace lmpo

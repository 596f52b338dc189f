// One layer, forward and backward:
//
//   x_mid = x_in + o(attention(rope(qkv(norm(x_in)))))
//   x_out = x_mid + down(silu(gate(h)) * up(h)),   h = norm(x_mid)
//
// The caller says how queries find their keys: training attends over trees, decoding over a cache.
// Memory comes from the arena. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "model/weights.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

// What a layer's backward needs of its forward, besides the layer's input.
struct LayerState {
  Tensor rstd1;      // [T]
  Tensor qkv;        // [T, (H+2K)E], rotated
  Tensor attention;  // [T, H*E]
  Tensor lse;        // [H, T]
  Tensor x_mid;      // [T, D], the residual stream between the two halves
  Tensor rstd2;      // [T]
  Tensor gate_up;    // [T, 2F]
};

class Block {
 public:
  // Allocates the rotary table for positions < max_positions.
  Block(const ModelConfig& config, Ops& ops, Arena& arena, std::int64_t max_positions);

  // Allocate the parts of a state that attention and the MLP fill. x_mid is the caller's.
  void allocate_attention(LayerState& state, std::int64_t rows);
  void allocate_mlp(LayerState& state, std::int64_t rows);
  Tensor activation(std::int64_t rows, std::int64_t columns);

  // Computes state.attention and state.lse from state.qkv.
  using Attend = std::function<void(const LayerState& state)>;
  // x_mid holds the layer's input on entry, the input plus attention on return; x_in may be x_mid
  // itself.
  void forward_attention(const LayerWeights& layer, Tensor positions, Tensor x_in,
                         LayerState& state, const Attend& attend);
  void forward_gate_up(const LayerWeights& layer, LayerState& state);
  // x_out holds x_mid on entry; adds the MLP's output. x_out may be x_mid itself.
  void forward_down(const LayerWeights& layer, Tensor x_out, const LayerState& state);
  // The whole layer in place on x[T,D], keeping nothing.
  void forward_in_place(const LayerWeights& layer, Tensor positions, Tensor x,
                        const Attend& attend);

  // Computes dqkv from dattention.
  using AttendBackward = std::function<void(Tensor dqkv, Tensor dattention)>;
  // dx is the gradient of the half's output on entry, of its input on return. Adds to the gradients
  // of the weights that train.
  void backward_mlp(const LayerWeights& layer, Tensor dx, const LayerState& state);
  void backward_attention(const LayerWeights& layer, Tensor positions, Tensor dx, Tensor x_in,
                          const LayerState& state, const AttendBackward& attend_backward);

  // The weight in the compute type: itself, or a copy in the caller's scope of the arena.
  Tensor in_compute_type(const Parameter& w);
  const AttentionShape& shape() const { return shape_; }

 private:
  Tensor statistics(std::initializer_list<std::int64_t> shape);
  void norm(Tensor y, Tensor rstd, Tensor x, const Parameter& w);
  // dx += the gradient through the norm.
  void norm_backward(Tensor dx, Tensor dy, Tensor x, const Parameter& w, Tensor rstd);
  // y = x weight^T + bias, or += with `accumulate`.
  void linear(Tensor y, Tensor x, const Linear& layer, StepPart part, bool accumulate = false);
  // dx = dy weight.
  void linear_backward_input(Tensor dx, Tensor dy, const Linear& layer, StepPart part);
  // Adds to the gradients of weight and bias, if they train. x is read only if the weight does.
  void linear_backward_weight(Tensor dy, Tensor x, const Linear& layer, StepPart part);

  const ModelConfig& config_;
  Ops& ops_;
  Arena& arena_;
  AttentionShape shape_;
  Tensor cos_sin_;  // [P, E]
};

// cos_sin[P, E] of RopeForward, as transformers computes it: float32 angles, position * inverse
// frequency.
std::vector<float> rotary_table(const ModelConfig& config, std::int64_t positions);

}  // namespace lmpo

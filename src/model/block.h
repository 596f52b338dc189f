// One layer, forward and backward:
//
//   x_mid = x_in + s after(o(attention(qkv(before(x_in)))))
//   x_out = x_mid + s after(down(activation(gate(h)) * up(h))),   h = before(x_mid)
//
// Which norms there are before and after a sublayer, what becomes of queries and keys ahead of
// attention, and the residual scale s: ModelConfig says. Nothing is allocated or computed for what
// a model does not have.
//
// The caller says how queries find their keys: training attends over trees, decoding over a cache.
// Memory comes from the arena. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>

#include "model/rotary.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

// A sublayer's output that a norm reads; empty without norms after a sublayer.
struct SublayerOutput {
  Tensor y;     // [T, D]
  Tensor rstd;  // [T]
};

// What a layer's backward needs of its forward, besides the layer's input.
struct LayerState {
  Tensor rstd1;      // [T]
  Tensor qkv;        // [T, (H+2K)E], as attention reads it; with norms of q and k: before them
  Tensor attention;  // [T, H*E]
  Tensor lse;        // [H, T]
  SublayerOutput attention_output;
  Tensor x_mid;    // [T, D], the residual stream between the two halves
  Tensor rstd2;    // [T]
  Tensor gate_up;  // [T, 2F]
  SublayerOutput mlp_output;
};

// How linear layers compute the rows that are run together.
enum class RowSums : std::uint8_t {
  fast,        // as is fastest for so many
  independent  // for answers: LinearForward::independent_rows
};

class Block {
 public:
  // Of the layers of these weights, for sequences of up to `positions` tokens. Weights, ops and
  // arena must outlive it.
  Block(const Weights& weights, Ops& ops, Arena& arena, std::int64_t positions,
        RowSums row_sums = RowSums::fast);

  // Allocate the parts of a state that attention and the MLP fill, without x_mid and outputs.
  void allocate_attention(LayerState& state, std::int64_t rows);
  void allocate_mlp(LayerState& state, std::int64_t rows);
  // And the outputs of both, if norms read them.
  void allocate_outputs(LayerState& state, std::int64_t rows);
  Tensor activation(std::int64_t rows, std::int64_t columns);

  // What attention of a layer computes with: out and lse of qkv.
  struct Attention {
    Tensor out;  // [T, H*E]
    Tensor lse;  // [H, T]
    Tensor qkv;  // [T, (H+2K)E], normed and turned
    AttentionShape shape;
  };
  using Attend = std::function<void(const Attention& attention)>;

  // `layer` is the layer's index, `rotary_rows` each token's row of the rotary tables. x_mid holds
  // the layer's input on entry, the stream after attention on return; x_in may be x_mid itself.
  void forward_attention(std::size_t layer, Tensor rotary_rows, Tensor x_in, LayerState& state,
                         const Attend& attend);
  void forward_gate_up(std::size_t layer, LayerState& state);
  // x_out holds x_mid on entry, the layer's output on return. x_out may be x_mid itself.
  void forward_down(std::size_t layer, Tensor x_out, const LayerState& state);
  // The whole layer in place on x[T,D], keeping nothing.
  void forward_in_place(std::size_t layer, Tensor rotary_rows, Tensor x, const Attend& attend);

  // Of a state that holds attention_output, x_mid again. Only with norms after a sublayer.
  void repeat_x_mid(std::size_t layer, Tensor x_in, const LayerState& state);
  // Of a state that holds gate_up, mlp_output again. Only with norms after a sublayer.
  void repeat_mlp_output(std::size_t layer, const LayerState& state);

  // Computes dqkv from dout.
  using AttendBackward = std::function<void(Tensor dqkv, Tensor dout, const Attention& attention)>;
  // dx is the gradient of the half's output on entry, of its input on return. Adds to the gradients
  // of the weights that train.
  void backward_mlp(std::size_t layer, Tensor dx, const LayerState& state);
  // If nothing trains below the layer, dx has no meaning on return, and the matrix product for it
  // is left out unless the layer's first norm needs it.
  void backward_attention(std::size_t layer, Tensor rotary_rows, Tensor dx, Tensor x_in,
                          const LayerState& state, bool trains_below,
                          const AttendBackward& attend_backward);

  const Rotary& rotary() const { return rotary_; }

 private:
  // Queries, keys and values as attention reads them, and what the norms of queries and keys found:
  // empty without these norms, and then qkv is turned in place.
  struct Turned {
    Tensor qkv;
    Tensor q_rstd;  // [T] or [T, H]
    Tensor k_rstd;  // [T] or [T, K]
  };
  Turned turn(std::size_t layer, Tensor rotary_rows, Tensor qkv);
  // In place on dqkv; qkv is what turn() read.
  void turn_backward(std::size_t layer, Tensor rotary_rows, Tensor dqkv, const Turned& turned,
                     Tensor qkv);
  AttentionShape shape(std::size_t layer) const;
  // The columns of the queries and of the keys.
  struct Heads {
    Tensor q;  // [T, H*E]
    Tensor k;  // [T, K*E]
  };
  Heads heads_of(Tensor qkv) const;

  // y = first(before(x)); without a norm rstd is not used.
  void enter(Tensor y, Tensor x, Tensor rstd, const Parameter& before, const Linear& first,
             StepPart part);
  // dx += the gradient of x from that of y; without `trains_below` only what the norm needs of it.
  void enter_backward(Tensor dx, Tensor dy, Tensor x, Tensor rstd, const Parameter& before,
                      const Linear& first, StepPart part, bool trains_below);
  // x += residual_scale * after(last(y)).
  void leave(Tensor x, Tensor y, const Linear& last, const Parameter& after,
             const SublayerOutput& output, StepPart part);
  // x += residual_scale * after(output), for an output that is there already.
  void add_output(Tensor x, const SublayerOutput& output, const Parameter& after);
  // The gradient of last(y) from that of x: dx itself where nothing stands between.
  Tensor output_gradient(Tensor dx, const Parameter& after, const SublayerOutput& output);

  // What down reads: [T, F] in the caller's scope.
  Tensor gated(const LayerState& state);

  Tensor statistics(std::initializer_list<std::int64_t> shape);
  // y = norm(x), or += with `accumulate`.
  void norm(Tensor y, Tensor rstd, Tensor x, const Parameter& w, bool accumulate = false);
  // dx += the gradient through the norm, or = without `accumulate`.
  void norm_backward(Tensor dx, Tensor dy, Tensor x, const Parameter& w, Tensor rstd,
                     bool accumulate = true);
  // y = x weight^T + bias, or += with `accumulate`.
  void linear(Tensor y, Tensor x, const Linear& layer, StepPart part, bool accumulate = false);
  // dx = dy weight, or += with `accumulate`.
  void linear_backward_input(Tensor dx, Tensor dy, const Linear& layer, StepPart part,
                             bool accumulate = false);
  // Adds to the gradients of weight and bias, if they train. x is read only if the weight does.
  void linear_backward_weight(Tensor dy, Tensor x, const Linear& layer, StepPart part);
  // The weight in the compute type: itself, or a copy in the caller's scope of the arena.
  Tensor in_compute_type(const Parameter& w);

  const Weights& weights_;
  const ModelConfig& config_;
  Ops& ops_;
  Arena& arena_;
  Rotary rotary_;
  bool independent_rows_;
};

}  // namespace lmpo

#include "model/block.h"

#include <cmath>

namespace lmpo {

std::vector<float> rotary_table(const ModelConfig& config, std::int64_t positions) {
  const std::vector<float> frequencies = inverse_frequencies(config);
  const auto half = static_cast<std::int64_t>(frequencies.size());
  std::vector<float> table(static_cast<std::size_t>(positions * 2 * half));
  for (std::int64_t position = 0; position < positions; ++position) {
    for (std::int64_t i = 0; i < half; ++i) {
      const float angle = static_cast<float>(position) * frequencies[static_cast<std::size_t>(i)];
      const auto cosine = static_cast<std::size_t>(position * 2 * half + i);
      table[cosine] = static_cast<float>(std::cos(static_cast<double>(angle)));
      table[cosine + frequencies.size()] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  return table;
}

Block::Block(const ModelConfig& config, Ops& ops, Arena& arena, std::int64_t max_positions)
    : config_(config),
      ops_(ops),
      arena_(arena),
      shape_{config.heads, config.key_heads, config.head_size, config.sliding_window},
      cos_sin_(arena.allocate("rotary table", Dtype::f32, {max_positions, config.head_size})) {
  ops_.require_sizes(config.hidden_size, shape_);
  if (ops_.computes()) {
    ops_.upload(cos_sin_, rotary_table(config, max_positions).data());
  }
}

// --- forward
// --------------------------------------------------------------------------------------------------

void Block::forward_attention(const LayerWeights& layer, Tensor positions, Tensor x_in,
                              LayerState& state, const Attend& attend) {
  {
    const Arena::Scope scope(arena_);
    const Tensor normed = activation(x_in.dim(0), config_.hidden_size);
    ops_.rmsnorm_forward(normed, state.rstd1, x_in, layer.input_norm.value, config_.rms_norm_eps);
    ops_.enter(LinearPart::qkv);
    linear(state.qkv, normed, layer.qkv, false);
  }
  ops_.rope_forward(state.qkv, cos_sin_, positions, shape_);
  attend(state);
  ops_.enter(LinearPart::attention_output);
  linear(state.x_mid, state.attention, layer.o, true);
}

void Block::forward_gate_up(const LayerWeights& layer, LayerState& state) {
  const Arena::Scope scope(arena_);
  const Tensor normed = activation(state.x_mid.dim(0), config_.hidden_size);
  ops_.rmsnorm_forward(normed, state.rstd2, state.x_mid, layer.post_norm.value,
                       config_.rms_norm_eps);
  ops_.enter(LinearPart::mlp);
  linear(state.gate_up, normed, layer.gate_up, false);
}

void Block::forward_down(const LayerWeights& layer, Tensor x_out, const LayerState& state) {
  const Arena::Scope scope(arena_);
  const Tensor hidden = activation(x_out.dim(0), config_.intermediate_size);
  ops_.swiglu_forward(hidden, state.gate_up);
  ops_.enter(LinearPart::mlp);
  linear(x_out, hidden, layer.down, true);
}

void Block::forward_in_place(const LayerWeights& layer, Tensor positions, Tensor x,
                             const Attend& attend) {
  const Arena::Scope scope(arena_);
  LayerState state;
  allocate_attention(state, x.dim(0));
  allocate_mlp(state, x.dim(0));
  state.x_mid = x;
  forward_attention(layer, positions, x, state, attend);
  forward_gate_up(layer, state);
  forward_down(layer, x, state);
}

// --- backward
// -------------------------------------------------------------------------------------------------

void Block::backward_mlp(const LayerWeights& layer, Tensor dx, const LayerState& state) {
  const std::int64_t rows = dx.dim(0);
  const Arena::Scope scope(arena_);
  ops_.enter(LinearPart::mlp);
  const Tensor dgate_up = activation(rows, 2 * config_.intermediate_size);
  {
    const Arena::Scope inner(arena_);
    const Tensor hidden = activation(rows, config_.intermediate_size);
    const Tensor dhidden = activation(rows, config_.intermediate_size);
    linear_backward_input(dhidden, dx, layer.down);
    ops_.swiglu_backward(dgate_up, hidden, dhidden, state.gate_up);
    ops_.linear_backward_weight(layer.down.gradient, dx, hidden);
  }
  const Tensor normed = activation(rows, config_.hidden_size);
  const Tensor dnormed = activation(rows, config_.hidden_size);
  ops_.rmsnorm_forward(normed, state.rstd2, state.x_mid, layer.post_norm.value,
                       config_.rms_norm_eps);
  linear_backward(dnormed, dgate_up, normed, layer.gate_up);
  ops_.rmsnorm_backward(dx, layer.post_norm.gradient, dnormed, state.x_mid, layer.post_norm.value,
                        state.rstd2);
}

void Block::backward_attention(const LayerWeights& layer, Tensor positions, Tensor dx, Tensor x_in,
                               const LayerState& state, const AttendBackward& attend_backward) {
  const std::int64_t rows = dx.dim(0);
  const Arena::Scope scope(arena_);
  const Tensor dqkv = activation(rows, state.qkv.dim(1));
  {
    const Arena::Scope inner(arena_);
    const Tensor dattention = activation(rows, state.attention.dim(1));
    ops_.enter(LinearPart::attention_output);
    linear_backward(dattention, dx, state.attention, layer.o);
    attend_backward(dqkv, dattention);
  }
  ops_.rope_backward(dqkv, cos_sin_, positions, shape_);
  const Tensor normed = activation(rows, config_.hidden_size);
  const Tensor dnormed = activation(rows, config_.hidden_size);
  ops_.rmsnorm_forward(normed, state.rstd1, x_in, layer.input_norm.value, config_.rms_norm_eps);
  ops_.enter(LinearPart::qkv);
  linear_backward(dnormed, dqkv, normed, layer.qkv);
  ops_.rmsnorm_backward(dx, layer.input_norm.gradient, dnormed, x_in, layer.input_norm.value,
                        state.rstd1);
}

// --- memory and weights
// ---------------------------------------------------------------------------------------

Tensor Block::activation(std::int64_t rows, std::int64_t columns) {
  return arena_.allocate("activations", ops_.compute_dtype(), {rows, columns});
}

Tensor Block::statistics(std::initializer_list<std::int64_t> shape) {
  return arena_.allocate("activations", Dtype::f32, shape);
}

void Block::allocate_attention(LayerState& state, std::int64_t rows) {
  state.rstd1 = statistics({rows});
  state.qkv = activation(rows, (config_.heads + 2 * config_.key_heads) * config_.head_size);
  state.attention = activation(rows, config_.heads * config_.head_size);
  state.lse = statistics({config_.heads, rows});
}

void Block::allocate_mlp(LayerState& state, std::int64_t rows) {
  state.rstd2 = statistics({rows});
  state.gate_up = activation(rows, 2 * config_.intermediate_size);
}

void Block::linear(Tensor y, Tensor x, const Parameter& w, bool accumulate) {
  const Arena::Scope scope(arena_);
  const bool as_stored = x.dim(0) <= few_tokens;
  ops_.linear_forward(y, x, as_stored ? w.value : in_compute_type(w), accumulate);
}

void Block::linear_backward(Tensor dx, Tensor dy, Tensor x, const Parameter& w) {
  ops_.linear_backward_weight(w.gradient, dy, x);
  linear_backward_input(dx, dy, w);
}

void Block::linear_backward_input(Tensor dx, Tensor dy, const Parameter& w) {
  const Arena::Scope scope(arena_);
  ops_.linear_backward_input(dx, dy, in_compute_type(w), false);
}

Tensor Block::in_compute_type(const Parameter& w) {
  if (w.value.dtype() == ops_.compute_dtype()) {
    return w.value;
  }
  const Tensor copy = arena_.allocate("weights in compute type", ops_.compute_dtype(),
                                      {w.value.dim(0), w.value.dim(1)});
  ops_.cast(copy, w.value);
  return copy;
}

}  // namespace lmpo

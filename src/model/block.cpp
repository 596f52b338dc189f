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
      shape_{.query_heads = config.heads,
             .key_heads = config.key_heads,
             .head_size = config.head_size,
             .scale = 1.0F / std::sqrt(static_cast<float>(config.head_size)),
             .window = config.sliding_window},
      cos_sin_(arena.allocate("rotary table", Dtype::f32, {max_positions, config.head_size})) {
  ops_.require_sizes(config.hidden_size, shape_);
  if (ops_.computes()) {
    ops_.upload(cos_sin_, rotary_table(config, max_positions).data());
  }
}

void Block::forward_attention(const LayerWeights& layer, Tensor positions, Tensor x_in,
                              LayerState& state, const Attend& attend) {
  {
    const Arena::Scope scope(arena_);
    const Tensor normed = activation(x_in.dim(0), config_.hidden_size);
    norm(normed, state.rstd1, x_in, layer.input_norm);
    linear(state.qkv, normed, layer.qkv, StepPart::qkv);
  }
  ops_.run(
      RopeForward{.qkv = state.qkv, .cos_sin = cos_sin_, .positions = positions, .shape = shape_});
  attend(state);
  linear(state.x_mid, state.attention, layer.o, StepPart::attention_output, true);
}

void Block::forward_gate_up(const LayerWeights& layer, LayerState& state) {
  const Arena::Scope scope(arena_);
  const Tensor normed = activation(state.x_mid.dim(0), config_.hidden_size);
  norm(normed, state.rstd2, state.x_mid, layer.post_norm);
  linear(state.gate_up, normed, layer.gate_up, StepPart::mlp);
}

void Block::forward_down(const LayerWeights& layer, Tensor x_out, const LayerState& state) {
  const Arena::Scope scope(arena_);
  const Tensor hidden = activation(x_out.dim(0), config_.intermediate_size);
  ops_.run(GluForward{.y = hidden, .gate_up = state.gate_up});
  linear(x_out, hidden, layer.down, StepPart::mlp, true);
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

void Block::backward_mlp(const LayerWeights& layer, Tensor dx, const LayerState& state) {
  const std::int64_t rows = dx.dim(0);
  const Arena::Scope scope(arena_);
  const Tensor dgate_up = activation(rows, 2 * config_.intermediate_size);
  {
    const Arena::Scope inner(arena_);
    const Tensor hidden = activation(rows, config_.intermediate_size);
    const Tensor dhidden = activation(rows, config_.intermediate_size);
    linear_backward_input(dhidden, dx, layer.down, StepPart::mlp);
    ops_.run(
        GluBackward{.dgate_up = dgate_up, .y = hidden, .dy = dhidden, .gate_up = state.gate_up});
    linear_backward_weight(dx, hidden, layer.down, StepPart::mlp);
  }
  const Tensor normed = activation(rows, config_.hidden_size);
  const Tensor dnormed = activation(rows, config_.hidden_size);
  if (layer.gate_up.weight.trains()) {
    norm(normed, state.rstd2, state.x_mid, layer.post_norm);
  }
  linear_backward_weight(dgate_up, normed, layer.gate_up, StepPart::mlp);
  linear_backward_input(dnormed, dgate_up, layer.gate_up, StepPart::mlp);
  norm_backward(dx, dnormed, state.x_mid, layer.post_norm, state.rstd2);
}

void Block::backward_attention(const LayerWeights& layer, Tensor positions, Tensor dx, Tensor x_in,
                               const LayerState& state, const AttendBackward& attend_backward) {
  const std::int64_t rows = dx.dim(0);
  const Arena::Scope scope(arena_);
  const Tensor dqkv = activation(rows, state.qkv.dim(1));
  {
    const Arena::Scope inner(arena_);
    const Tensor dattention = activation(rows, state.attention.dim(1));
    linear_backward_weight(dx, state.attention, layer.o, StepPart::attention_output);
    linear_backward_input(dattention, dx, layer.o, StepPart::attention_output);
    attend_backward(dqkv, dattention);
  }
  ops_.run(
      RopeBackward{.dqkv = dqkv, .cos_sin = cos_sin_, .positions = positions, .shape = shape_});
  const Tensor normed = activation(rows, config_.hidden_size);
  const Tensor dnormed = activation(rows, config_.hidden_size);
  if (layer.qkv.weight.trains()) {
    norm(normed, state.rstd1, x_in, layer.input_norm);
  }
  linear_backward_weight(dqkv, normed, layer.qkv, StepPart::qkv);
  linear_backward_input(dnormed, dqkv, layer.qkv, StepPart::qkv);
  norm_backward(dx, dnormed, x_in, layer.input_norm, state.rstd1);
}

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

void Block::norm(Tensor y, Tensor rstd, Tensor x, const Parameter& w) {
  ops_.run(RmsNormForward{.y = y, .rstd = rstd, .x = x, .w = w.value, .eps = config_.rms_norm_eps});
}

void Block::norm_backward(Tensor dx, Tensor dy, Tensor x, const Parameter& w, Tensor rstd) {
  ops_.run(
      RmsNormBackward{.dx = dx, .dw = w.gradient, .dy = dy, .x = x, .w = w.value, .rstd = rstd});
}

void Block::linear(Tensor y, Tensor x, const Linear& layer, StepPart part, bool accumulate) {
  const Arena::Scope scope(arena_);
  const bool as_stored = x.dim(0) <= kFewTokens;
  ops_.run(LinearForward{.y = y,
                         .x = x,
                         .w = as_stored ? layer.weight.value : in_compute_type(layer.weight),
                         .accumulate = accumulate,
                         .part = part});
  if (!layer.bias.empty()) {
    ops_.run(BiasForward{.y = y, .b = layer.bias.value, .part = part});
  }
}

void Block::linear_backward_input(Tensor dx, Tensor dy, const Linear& layer, StepPart part) {
  const Arena::Scope scope(arena_);
  ops_.run(
      LinearBackwardInput{.dx = dx, .dy = dy, .w = in_compute_type(layer.weight), .part = part});
}

void Block::linear_backward_weight(Tensor dy, Tensor x, const Linear& layer, StepPart part) {
  if (layer.weight.trains()) {
    ops_.run(LinearBackwardWeight{.dw = layer.weight.gradient, .dy = dy, .x = x, .part = part});
  }
  if (layer.bias.trains()) {
    ops_.run(BiasBackward{.db = layer.bias.gradient, .dy = dy, .part = part});
  }
}

Tensor Block::in_compute_type(const Parameter& w) {
  if (w.value.dtype() == ops_.compute_dtype()) {
    return w.value;
  }
  const Tensor copy = arena_.allocate("weights in compute type", ops_.compute_dtype(),
                                      {w.value.dim(0), w.value.dim(1)});
  ops_.run(Cast{.out = copy, .in = w.value});
  return copy;
}

}  // namespace lmpo

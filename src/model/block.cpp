#include "model/block.h"

#include <algorithm>

namespace lmpo {
namespace {

// Columns of the widest vector that a norm takes.
std::int64_t widest_norm(const ModelConfig& config) {
  const bool takes_all_heads = config.query_key_norm == QueryKeyNorm::whole;
  return std::max(config.hidden_size, takes_all_heads ? config.heads * config.head_size : 0);
}

}  // namespace

Block::Block(const Weights& weights, Ops& ops, Arena& arena, std::int64_t positions,
             RowSums row_sums)
    : weights_(weights),
      config_(weights.config()),
      ops_(ops),
      arena_(arena),
      rotary_(config_, ops, arena, positions),
      independent_rows_(row_sums == RowSums::independent) {
  for (std::size_t layer = 0; layer < weights.layers.size(); ++layer) {
    ops_.require_sizes(widest_norm(config_), shape(layer));
  }
}

AttentionShape Block::shape(std::size_t layer) const {
  return {.query_heads = config_.heads,
          .key_heads = config_.key_heads,
          .head_size = config_.head_size,
          .scale = config_.attention_scale,
          .softcap = config_.attention_softcap,
          .window = config_.layer_attention[layer].window};
}

void Block::forward_attention(std::size_t layer, Tensor rotary_rows, Tensor x_in, LayerState& state,
                              const Attend& attend) {
  const LayerWeights& w = weights_.layers[layer];
  enter(state.qkv, x_in, state.rstd1, w.input_norm, w.qkv, StepPart::qkv);
  {
    const Arena::Scope scope(arena_);
    const Turned turned = turn(layer, rotary_rows, state.qkv);
    attend({.out = state.attention, .lse = state.lse, .qkv = turned.qkv, .shape = shape(layer)});
  }
  leave(state.x_mid, state.attention, w.o, w.attention_norm_after, state.attention_output,
        StepPart::attention_output);
}

void Block::forward_gate_up(std::size_t layer, LayerState& state) {
  const LayerWeights& w = weights_.layers[layer];
  enter(state.gate_up, state.x_mid, state.rstd2, w.post_norm, w.gate_up, StepPart::mlp);
}

void Block::forward_down(std::size_t layer, Tensor x_out, const LayerState& state) {
  const LayerWeights& w = weights_.layers[layer];
  const Arena::Scope scope(arena_);
  leave(x_out, gated(state), w.down, w.mlp_norm_after, state.mlp_output, StepPart::mlp);
}

void Block::forward_in_place(std::size_t layer, Tensor rotary_rows, Tensor x,
                             const Attend& attend) {
  const Arena::Scope scope(arena_);
  LayerState state;
  allocate_attention(state, x.dim(0));
  allocate_mlp(state, x.dim(0));
  allocate_outputs(state, x.dim(0));
  state.x_mid = x;
  forward_attention(layer, rotary_rows, x, state, attend);
  forward_gate_up(layer, state);
  forward_down(layer, x, state);
}

void Block::repeat_x_mid(std::size_t layer, Tensor x_in, const LayerState& state) {
  ops_.run(Copy{.out = state.x_mid, .in = x_in});
  add_output(state.x_mid, state.attention_output, weights_.layers[layer].attention_norm_after);
}

void Block::repeat_mlp_output(std::size_t layer, const LayerState& state) {
  const LayerWeights& w = weights_.layers[layer];
  const Arena::Scope scope(arena_);
  const SublayerOutput& output = state.mlp_output;
  linear(output.y, gated(state), w.down, StepPart::mlp);
  norm(activation(output.y.dim(0), config_.hidden_size), output.rstd, output.y, w.mlp_norm_after);
}

void Block::backward_mlp(std::size_t layer, Tensor dx, const LayerState& state) {
  const LayerWeights& w = weights_.layers[layer];
  const std::int64_t rows = dx.dim(0);
  const Arena::Scope scope(arena_);
  const Tensor dgate_up = activation(rows, 2 * config_.intermediate_size);
  {
    const Arena::Scope inner(arena_);
    const Tensor doutput = output_gradient(dx, w.mlp_norm_after, state.mlp_output);
    const Tensor hidden = activation(rows, config_.intermediate_size);
    const Tensor dhidden = activation(rows, config_.intermediate_size);
    linear_backward_input(dhidden, doutput, w.down, StepPart::mlp);
    ops_.run(GluBackward{.dgate_up = dgate_up,
                         .y = hidden,
                         .dy = dhidden,
                         .gate_up = state.gate_up,
                         .activation = config_.activation});
    linear_backward_weight(doutput, hidden, w.down, StepPart::mlp);
  }
  enter_backward(dx, dgate_up, state.x_mid, state.rstd2, w.post_norm, w.gate_up, StepPart::mlp,
                 true);
}

void Block::backward_attention(std::size_t layer, Tensor rotary_rows, Tensor dx, Tensor x_in,
                               const LayerState& state, bool trains_below,
                               const AttendBackward& attend_backward) {
  const LayerWeights& w = weights_.layers[layer];
  const Arena::Scope scope(arena_);
  const Tensor dqkv = activation(dx.dim(0), state.qkv.dim(1));
  {
    const Arena::Scope inner(arena_);
    const Turned turned = w.q_norm.empty() ? Turned{.qkv = state.qkv, .q_rstd = {}, .k_rstd = {}}
                                           : turn(layer, rotary_rows, state.qkv);
    const Tensor dattention = activation(dx.dim(0), state.attention.dim(1));
    {
      const Arena::Scope output_scope(arena_);
      const Tensor doutput = output_gradient(dx, w.attention_norm_after, state.attention_output);
      linear_backward_weight(doutput, state.attention, w.o, StepPart::attention_output);
      linear_backward_input(dattention, doutput, w.o, StepPart::attention_output);
    }
    attend_backward(
        dqkv, dattention,
        {.out = state.attention, .lse = state.lse, .qkv = turned.qkv, .shape = shape(layer)});
    turn_backward(layer, rotary_rows, dqkv, turned, state.qkv);
  }
  enter_backward(dx, dqkv, x_in, state.rstd1, w.input_norm, w.qkv, StepPart::qkv, trains_below);
}

Block::Turned Block::turn(std::size_t layer, Tensor rotary_rows, Tensor qkv) {
  const LayerWeights& w = weights_.layers[layer];
  Turned turned = {.qkv = qkv, .q_rstd = {}, .k_rstd = {}};
  if (!w.q_norm.empty()) {
    turned.qkv = activation(qkv.dim(0), qkv.dim(1));
    ops_.run(Copy{.out = turned.qkv, .in = qkv});
    const Heads heads = heads_of(turned.qkv);
    turned.q_rstd = statistics({qkv.dim(0), heads.q.dim(1) / w.q_norm.value.dim(0)});
    turned.k_rstd = statistics({qkv.dim(0), heads.k.dim(1) / w.k_norm.value.dim(0)});
    norm(heads.q, turned.q_rstd, heads.q, w.q_norm);
    norm(heads.k, turned.k_rstd, heads.k, w.k_norm);
  }
  if (const std::optional<std::size_t> table = config_.layer_attention[layer].rope) {
    rotary_.forward(*table, turned.qkv, rotary_rows, shape(layer));
  }
  return turned;
}

void Block::turn_backward(std::size_t layer, Tensor rotary_rows, Tensor dqkv, const Turned& turned,
                          Tensor qkv) {
  const LayerWeights& w = weights_.layers[layer];
  if (const std::optional<std::size_t> table = config_.layer_attention[layer].rope) {
    rotary_.backward(*table, dqkv, rotary_rows, shape(layer));
  }
  if (!w.q_norm.empty()) {
    const Heads gradient = heads_of(dqkv);
    const Heads heads = heads_of(qkv);
    norm_backward(gradient.q, gradient.q, heads.q, w.q_norm, turned.q_rstd, false);
    norm_backward(gradient.k, gradient.k, heads.k, w.k_norm, turned.k_rstd, false);
  }
}

Block::Heads Block::heads_of(Tensor qkv) const {
  const std::int64_t keys = config_.heads * config_.head_size;
  const std::int64_t values = keys + config_.key_heads * config_.head_size;
  return {.q = qkv.columns(0, keys), .k = qkv.columns(keys, values)};
}

void Block::enter(Tensor y, Tensor x, Tensor rstd, const Parameter& before, const Linear& first,
                  StepPart part) {
  const Arena::Scope scope(arena_);
  Tensor input = x;
  if (!before.empty()) {
    input = activation(x.dim(0), config_.hidden_size);
    norm(input, rstd, x, before);
  }
  linear(y, input, first, part);
}

void Block::enter_backward(Tensor dx, Tensor dy, Tensor x, Tensor rstd, const Parameter& before,
                           const Linear& first, StepPart part, bool trains_below) {
  if (before.empty()) {
    linear_backward_weight(dy, x, first, part);
    if (trains_below) {
      linear_backward_input(dx, dy, first, part, true);
    }
    return;
  }
  const Tensor normed = activation(dx.dim(0), config_.hidden_size);
  if (first.weight.trains()) {
    norm(normed, rstd, x, before);
  }
  linear_backward_weight(dy, normed, first, part);
  if (trains_below || before.trains()) {
    const Tensor dnormed = activation(dx.dim(0), config_.hidden_size);
    linear_backward_input(dnormed, dy, first, part);
    norm_backward(dx, dnormed, x, before, rstd);
  }
}

void Block::leave(Tensor x, Tensor y, const Linear& last, const Parameter& after,
                  const SublayerOutput& output, StepPart part) {
  if (after.empty() && config_.residual_scale == 1) {
    linear(x, y, last, part, true);
    return;
  }
  const Arena::Scope scope(arena_);
  SublayerOutput written = output;
  if (after.empty()) {
    written.y = activation(x.dim(0), config_.hidden_size);
  }
  linear(written.y, y, last, part);
  add_output(x, written, after);
}

void Block::add_output(Tensor x, const SublayerOutput& output, const Parameter& after) {
  if (config_.residual_scale == 1) {
    norm(x, output.rstd, output.y, after, true);
    return;
  }
  const Arena::Scope scope(arena_);
  Tensor y = output.y;
  if (!after.empty()) {
    y = activation(x.dim(0), config_.hidden_size);
    norm(y, output.rstd, output.y, after);
  }
  ops_.run(Scale{.y = x, .x = y, .factor = config_.residual_scale, .accumulate = true});
}

Tensor Block::output_gradient(Tensor dx, const Parameter& after, const SublayerOutput& output) {
  if (after.empty() && config_.residual_scale == 1) {
    return dx;
  }
  const Tensor dy = activation(dx.dim(0), config_.hidden_size);
  Tensor from = dx;
  if (config_.residual_scale != 1) {
    ops_.run(Scale{.y = dy, .x = dx, .factor = config_.residual_scale});
    from = dy;
  }
  if (!after.empty()) {
    norm_backward(dy, from, output.y, after, output.rstd, false);
  }
  return dy;
}

Tensor Block::gated(const LayerState& state) {
  const Tensor hidden = activation(state.gate_up.dim(0), config_.intermediate_size);
  ops_.run(GluForward{.y = hidden, .gate_up = state.gate_up, .activation = config_.activation});
  return hidden;
}

Tensor Block::activation(std::int64_t rows, std::int64_t columns) {
  return arena_.allocate("activations", ops_.compute_dtype(), {rows, columns});
}

Tensor Block::statistics(std::initializer_list<std::int64_t> shape) {
  return arena_.allocate("activations", Dtype::f32, shape);
}

void Block::allocate_attention(LayerState& state, std::int64_t rows) {
  if (config_.norms_before) {
    state.rstd1 = statistics({rows});
  }
  state.qkv = activation(rows, (config_.heads + 2 * config_.key_heads) * config_.head_size);
  state.attention = activation(rows, config_.heads * config_.head_size);
  state.lse = statistics({config_.heads, rows});
}

void Block::allocate_mlp(LayerState& state, std::int64_t rows) {
  if (config_.norms_before) {
    state.rstd2 = statistics({rows});
  }
  state.gate_up = activation(rows, 2 * config_.intermediate_size);
}

void Block::allocate_outputs(LayerState& state, std::int64_t rows) {
  if (config_.norms_after) {
    for (SublayerOutput* output : {&state.attention_output, &state.mlp_output}) {
      *output = {.y = activation(rows, config_.hidden_size), .rstd = statistics({rows})};
    }
  }
}

void Block::norm(Tensor y, Tensor rstd, Tensor x, const Parameter& w, bool accumulate) {
  ops_.run(RmsNormForward{.y = y,
                          .rstd = rstd,
                          .x = x,
                          .w = w.value,
                          .eps = config_.rms_norm_eps,
                          .offset = config_.norm_offset,
                          .accumulate = accumulate});
}

void Block::norm_backward(Tensor dx, Tensor dy, Tensor x, const Parameter& w, Tensor rstd,
                          bool accumulate) {
  ops_.run(RmsNormBackward{.dx = dx,
                           .dw = w.gradient,
                           .dy = dy,
                           .x = x,
                           .w = w.value,
                           .rstd = rstd,
                           .offset = config_.norm_offset,
                           .accumulate = accumulate});
}

void Block::linear(Tensor y, Tensor x, const Linear& layer, StepPart part, bool accumulate) {
  const Arena::Scope scope(arena_);
  const bool as_stored = x.dim(0) <= kFewTokens || !layer.weight.scales.empty() ||
                         (independent_rows_ && ops_.widens_weights());
  ops_.run(LinearForward{.y = y,
                         .x = x,
                         .w = as_stored ? layer.weight.value : in_compute_type(layer.weight),
                         .accumulate = accumulate,
                         .part = part,
                         .independent_rows = independent_rows_,
                         .scales = layer.weight.scales});
  if (!layer.bias.empty()) {
    ops_.run(BiasForward{.y = y, .b = layer.bias.value, .part = part});
  }
}

void Block::linear_backward_input(Tensor dx, Tensor dy, const Linear& layer, StepPart part,
                                  bool accumulate) {
  const Arena::Scope scope(arena_);
  ops_.run(LinearBackwardInput{.dx = dx,
                               .dy = dy,
                               .w = in_compute_type(layer.weight),
                               .accumulate = accumulate,
                               .part = part});
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

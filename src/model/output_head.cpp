#include "model/output_head.h"

#include <functional>
#include <numeric>

namespace lmpo {

OutputHead::OutputHead(const Weights& weights, Ops& ops, Arena& arena)
    : weights_(weights),
      config_(weights.config()),
      ops_(ops),
      arena_(arena),
      shape_{.scale = config_.logit_scale, .softcap = config_.logit_softcap} {}

OutputHead::State OutputHead::gather(const DevicePack& pack, Tensor x) {
  const std::int64_t rows = pack.pack.row_count();
  State state;
  state.x = activation(rows, config_.hidden_size);
  state.rstd = vector(rows);
  state.normed = activation(rows, config_.hidden_size);
  ops_.run(GatherRows{.y = state.x, .x = x, .rows = pack.head_rows});
  norm(state.normed, state.rstd, state.x);
  return state;
}

OutputHead::State OutputHead::forward(const DevicePack& pack, Tensor x) {
  const std::int64_t rows = pack.pack.row_count();
  State state = gather(pack, x);
  state.lse = vector(rows);
  state.logp = vector(pack.pack.target_count());
  state.workspace = vector(
      ops_.head_workspace(rows, config_.hidden_size, config_.vocab_size, weights_.storage()));
  ops_.run(HeadForward{.logp = state.logp,
                       .lse = state.lse,
                       .hidden = state.normed,
                       .w = weights_.head.value,
                       .target_row = pack.target_row,
                       .target_token = pack.target_token,
                       .workspace = state.workspace,
                       .shape = shape_,
                       .scales = weights_.head.scales});
  return state;
}

void OutputHead::backward(const DevicePack& pack, const State& state, Tensor dlogp, Tensor dx) {
  const Arena::Scope scope(arena_);
  const Tensor dnormed = activation(state.x.dim(0), config_.hidden_size);
  const Tensor drows = activation(state.x.dim(0), config_.hidden_size);
  ops_.run(HeadBackward{.dhidden = dnormed,
                        .dw = weights_.head.gradient,
                        .dlogp = dlogp,
                        .lse = state.lse,
                        .hidden = state.normed,
                        .w = weights_.head.value,
                        .target_row = pack.target_row,
                        .target_token = pack.target_token,
                        .workspace = state.workspace,
                        .shape = shape_});
  ops_.run(RmsNormBackward{.dx = drows,
                           .dw = weights_.final_norm.gradient,
                           .dy = dnormed,
                           .x = state.x,
                           .w = weights_.final_norm.value,
                           .rstd = state.rstd,
                           .offset = config_.norm_offset,
                           .accumulate = false});
  ops_.run(ScatterRows{.dx = dx, .dy = drows, .rows = pack.head_rows});
}

void OutputHead::rewards(const DevicePack& pack, Tensor x, std::span<double> rewards) {
  const Arena::Scope scope(arena_);
  const std::vector<float> rows = to_host(gather(pack, x).normed);
  const std::vector<float> weight = to_host(weights_.head.value);
  for (std::size_t m = 0; m < rewards.size(); ++m) {
    const auto row = rows.begin() + pack.pack.target_row[m] * config_.hidden_size;
    rewards[static_cast<std::size_t>(pack.pack.target_response[m])] = std::transform_reduce(
        weight.begin(), weight.end(), row, 0.0, std::plus<>(),
        [](float w, float value) { return static_cast<double>(w) * static_cast<double>(value); });
  }
}

void OutputHead::logits(Tensor x, std::span<float> logits) {
  LMPO_CHECK(std::ssize(logits) == x.dim(0) * config_.vocab_size);
  const Arena::Scope scope(arena_);
  const Tensor normed = activation(x.dim(0), config_.hidden_size);
  const Tensor result = activation(x.dim(0), config_.vocab_size);
  norm(normed, vector(x.dim(0)), x);
  ops_.run(LinearForward{.y = result,
                         .x = normed,
                         .w = weights_.head.value,
                         .part = StepPart::head,
                         .independent_rows = true,
                         .scales = weights_.head.scales});
  const Tensor wide = in_float(result);
  if (shape_.scale != 1 || shape_.softcap != 0) {
    ops_.run(CapLogits{.logits = wide, .shape = shape_});
  }
  ops_.download(logits.data(), wide);
}

std::vector<float> OutputHead::to_host(Tensor x) {
  const Arena::Scope scope(arena_);
  std::vector<float> host(static_cast<std::size_t>(x.elements()));
  ops_.download(host.data(), in_float(x));
  return host;
}

Tensor OutputHead::in_float(Tensor x) {
  if (x.dtype() == Dtype::f32) {
    return x;
  }
  const Tensor wide = arena_.allocate("head", Dtype::f32, {x.dim(0), x.dim(1)});
  ops_.run(Cast{.out = wide, .in = x});
  return wide;
}

void OutputHead::norm(Tensor y, Tensor rstd, Tensor x) {
  ops_.run(RmsNormForward{.y = y,
                          .rstd = rstd,
                          .x = x,
                          .w = weights_.final_norm.value,
                          .eps = config_.rms_norm_eps,
                          .offset = config_.norm_offset});
}

Tensor OutputHead::activation(std::int64_t rows, std::int64_t columns) {
  return arena_.allocate("activations", ops_.compute_dtype(), {rows, columns});
}

Tensor OutputHead::vector(std::int64_t size) {
  return arena_.allocate("head", Dtype::f32, {size});
}

}  // namespace lmpo

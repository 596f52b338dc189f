// What reads the last hidden states: the final norm, and the head, which makes log-probabilities,
// logits or rewards of them. Rewards are neither scaled nor capped, as in transformers.
//
// Memory comes from the arena. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/device_pack.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

class OutputHead {
 public:
  // Weights, ops and arena must outlive it.
  OutputHead(const Weights& weights, Ops& ops, Arena& arena);

  // What the backward needs of the forward.
  struct State {
    Tensor x;       // [N, D], the rows that predict
    Tensor rstd;    // [N]
    Tensor normed;  // [N, D]
    Tensor lse;     // [N]
    Tensor logp;    // [M]
    Tensor workspace;
  };
  // From the residual stream x[T,D] after the last layer, in the caller's scope.
  State forward(const DevicePack& pack, Tensor x);
  // dx[T,D] =; adds to the gradients of the weights that train.
  void backward(const DevicePack& pack, const State& state, Tensor dlogp, Tensor dx);

  // Of a reward model: one number a response. The last product is summed in double, so that a 16-bit
  // compute type makes no ties.
  void rewards(const DevicePack& pack, Tensor x, std::span<double> rewards);
  // logits[B, V] on the host, of the stream x[B,D].
  void logits(Tensor x, std::span<float> logits);

 private:
  // x, rstd and normed of the state.
  State gather(const DevicePack& pack, Tensor x);
  // x, or a copy in the caller's scope.
  Tensor in_float(Tensor x);
  std::vector<float> to_host(Tensor x);
  void norm(Tensor y, Tensor rstd, Tensor x);
  Tensor activation(std::int64_t rows, std::int64_t columns);
  Tensor vector(std::int64_t size);

  const Weights& weights_;
  const ModelConfig& config_;
  Ops& ops_;
  Arena& arena_;
  LogitShape shape_;
};

}  // namespace lmpo

// From tokens to the residual stream before the first layer.
#pragma once

#include "model/weights.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

class Embedding {
 public:
  // Weights, ops and arena must outlive it.
  Embedding(const Weights& weights, Ops& ops, Arena& arena);

  // x[T,D] of tokens[T], in the caller's scope of the arena.
  Tensor forward(Tensor tokens);
  // Adds to the embedding's gradient; overwrites dx[T,D].
  void backward(Tensor dx, Tensor tokens);

 private:
  const Weights& weights_;
  Ops& ops_;
  Arena& arena_;
  float scale_;
};

}  // namespace lmpo

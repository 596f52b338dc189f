// AdamW over all weights that train, with clipping by the global norm.
#pragma once

#include <cstdint>

#include "model/weights.h"

namespace lmpo {

struct OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;   // of matrices; norms and biases do not decay
  double max_grad_norm = 1;  // 0: no clipping
};

// The Euclidean norm of the gradients of all weights that train.
double gradient_norm(const Weights& weights, Ops& ops);

// Update number `step` (counted from 1) of every weight that trains, and its moments. `norm` is gradient_norm;
// a larger one than max_grad_norm is scaled down to it, as torch.nn.utils.clip_grad_norm_ does.
void adamw_step(const Weights& weights, Ops& ops, const OptimizerOptions& options,
                std::int64_t step, double learning_rate, double norm);

}  // namespace lmpo

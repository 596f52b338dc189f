#include "train/optimizer.h"

#include <algorithm>
#include <cmath>

namespace lmpo {

double gradient_norm(const Weights& weights, Ops& ops) {
  std::vector<Tensor> gradients;
  for (const Parameter& parameter : weights.trained()) {
    gradients.push_back(parameter.gradient);
  }
  return std::sqrt(ops.sum_of_squares(gradients));
}

void adamw_step(const Weights& weights, Ops& ops, const OptimizerOptions& options,
                std::int64_t step, double learning_rate, double norm) {
  const auto t = static_cast<double>(step);
  AdamWStep update = {.learning_rate = learning_rate,
                      .beta1 = options.beta1,
                      .beta2 = options.beta2,
                      .epsilon = options.epsilon,
                      .weight_decay = options.weight_decay,
                      .bias_correction1 = 1 - std::pow(options.beta1, t),
                      .bias_correction2 = 1 - std::pow(options.beta2, t),
                      .gradient_scale = options.max_grad_norm > 0
                                            ? std::min(1.0, options.max_grad_norm / (norm + 1e-6))
                                            : 1.0};
  for (const Parameter& parameter : weights.trained()) {
    update.weight_decay = parameter.decays() ? options.weight_decay : 0;
    ops.run(AdamW{.w = parameter.value,
                  .low = parameter.low,
                  .gradient = parameter.gradient,
                  .moment1 = parameter.moment1,
                  .moment2 = parameter.moment2,
                  .step = update});
    weights.page_out_moments(parameter);
  }
}

}  // namespace lmpo

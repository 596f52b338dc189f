// What objectives on ranked lists share: two or more responses, the best first. Metrics compare the
// best with the worst.
#pragma once

#include "objective/objective.h"

namespace lmpo {

class RankedObjective : public Objective {
 public:
  ExampleForm form() const final { return ExampleForm::ranked; }
  ExampleResult evaluate(const BatchContext& batch, std::int64_t place,
                         ExampleScores example) const final;

 protected:
  // nll_weight: factor of the best response's NLL, a token mean over the global batch.
  explicit RankedObjective(double nll_weight) : nll_weight_(nll_weight) {}

 private:
  // The loss of a list before division by the batch's size, from its responses' average
  // log-probabilities. Adds its derivative with respect to each average to `slopes`.
  virtual double list_loss(std::span<const double> averages, std::span<double> slopes) const = 0;

  double nll_weight_;
};

}  // namespace lmpo

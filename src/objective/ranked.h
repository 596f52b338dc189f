// What objectives on ranked lists share: any number of responses, the best first, and metrics of
// the best against the worst.
#pragma once

#include "objective/objective.h"

namespace lmpo {

class RankedObjective : public Objective {
 public:
  ExampleForm form() const final { return ExampleForm::ranked; }
  double evaluate(ExampleScores example, std::span<double> seeds, MetricSums& metrics) final;

 protected:
  // nll_weight: factor of the best response's NLL, a token mean over the global batch.
  explicit RankedObjective(double nll_weight) : nll_weight_(nll_weight) {}

  // The loss of a list by its responses' average log-probabilities, before division by the batch's
  // size; writes its derivative by each average.
  virtual double list_loss(std::span<const double> averages, std::span<double> slopes) const = 0;

 private:
  double nll_weight_;
};

}  // namespace lmpo

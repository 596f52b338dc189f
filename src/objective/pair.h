// What every objective on pairs shares: division by the size of the global batch, an optional
// negative log-likelihood of the chosen response, and the metrics.
#pragma once

#include "objective/objective.h"

namespace lmpo {

// The loss of one pair before division by the batch's size.
struct PairLoss {
  double value = 0;
  double chosen_seed = 0;  // d value / d logp of the chosen response
  double rejected_seed = 0;
  double chosen_reward = 0;  // what rewards/* reports
  double rejected_reward = 0;
};

class PairObjective : public Objective {
 public:
  int responses() const final { return 2; }
  double evaluate(ExampleScores example, std::span<double> seeds, MetricSums& metrics) final;

 protected:
  // Whether logps/* reports averages per token (length-normalised methods) or sums.
  enum class Logps { averages, sums };
  // nll_weight: factor of the chosen response's NLL, a token mean over the global batch.
  explicit PairObjective(Logps logps, double nll_weight = 0)
      : logps_(logps), nll_weight_(nll_weight) {}

  // Adds metrics of its own, if it has any, when the loss is finite.
  virtual PairLoss pair_loss(const ResponseScore& chosen, const ResponseScore& rejected,
                             MetricSums& metrics) = 0;

 private:
  Logps logps_;
  double nll_weight_;
};

// Average log-probability of a token.
inline double average_logp(const ResponseScore& response) {
  return response.logp / static_cast<double>(response.tokens);
}

}  // namespace lmpo

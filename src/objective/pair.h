// What every objective on pairs shares: division by the size of the global batch, an optional
// negative log-likelihood of the chosen response, and the metrics.
#pragma once

#include <functional>

#include "objective/objective.h"
#include "objective/options.h"

namespace lmpo {

// The loss of one pair before division by the batch's size.
struct PairLoss {
  double value = 0;
  double chosen_seed = 0;  // d value / d logp of the chosen response
  double rejected_seed = 0;
  double chosen_reward = 0;  // what rewards/* reports
  double rejected_reward = 0;
};

// A loss of the margin z between two rewards, and its derivative with respect to z.
struct MarginLoss {
  double value = 0;
  double slope = 0;
};
// (1 - e) softplus(-z) + e softplus(z), e = label_smoothing.
MarginLoss logistic_loss(double z, double label_smoothing);
// max(0, target - z).
MarginLoss hinge_loss(double z, double target);
// The one that `type` names, sigmoid or hinge; hinge does not know of label smoothing (UserError).
using MarginLossFunction = std::function<MarginLoss(double z)>;
MarginLossFunction margin_loss(PairLossType type, double label_smoothing);

class PairObjective : public Objective {
 public:
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

// Log-ratio to the reference: s - r.
inline double log_ratio(const ResponseScore& response) {
  return response.logp - response.reference_logp;
}

// Average log-probability of a token.
inline double average_logp(const ResponseScore& response) {
  return response.logp / static_cast<double>(response.tokens);
}

// What is logged of one response, `side` being "chosen" or "rejected": its length and its
// log-probability, as a sum and for each token. These names mean the same for every method;
// logps/*, TRL's, is the one or the other.
void add_response_metrics(MetricSums& metrics, const std::string& side,
                          const ResponseScore& response);

}  // namespace lmpo

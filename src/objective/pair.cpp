#include "objective/pair.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lmpo {

MarginLoss logistic_loss(double z, double label_smoothing) {
  MarginLoss loss = {(1 - label_smoothing) * softplus(-z), -(1 - label_smoothing) * sigmoid(-z)};
  if (label_smoothing != 0) {
    loss.value += label_smoothing * softplus(z);
    loss.slope += label_smoothing * sigmoid(z);
  }
  return loss;
}

MarginLoss hinge_loss(double z, double target) {
  return {std::fmax(0, target - z), z < target ? -1.0 : 0.0};
}

MarginLossFunction margin_loss(PairLossType type, double label_smoothing) {
  switch (type) {
    case PairLossType::sigmoid:
      return [=](double z) { return logistic_loss(z, label_smoothing); };
    case PairLossType::hinge:
      if (label_smoothing != 0) {
        user_error("label_smoothing is for loss_type sigmoid: hinge has no form of it");
      }
      return [](double z) { return hinge_loss(z, 1); };
    case PairLossType::ipo:
      break;
  }
  user_error("loss_type ipo is for the objective dpo; sigmoid or hinge was expected");
}

void add_response_metrics(MetricSums& metrics, const std::string& side,
                          const ResponseScore& response) {
  metrics.add("logps_per_token/" + side, average_logp(response));
  metrics.add("logps_sum/" + side, response.logp);
  metrics.add("lengths/" + side, static_cast<double>(response.tokens));
}

double PairObjective::evaluate(ExampleScores example, std::span<double> seeds,
                               MetricSums& metrics) {
  LMPO_CHECK(example.size() >= 2 && seeds.size() == example.size());
  LMPO_CHECK(totals_.examples > 0);
  const ResponseScore& chosen = example[0];
  const ResponseScore& rejected = example[1];
  LMPO_CHECK(chosen.tokens > 0 && rejected.tokens > 0);

  const PairLoss pair = pair_loss(chosen, rejected, metrics);
  const auto examples = static_cast<double>(totals_.examples);
  double loss = pair.value / examples;
  std::fill(seeds.begin(), seeds.end(), 0.0);
  seeds[0] = pair.chosen_seed / examples;
  seeds[1] = pair.rejected_seed / examples;
  if (nll_weight_ != 0) {
    LMPO_CHECK(totals_.nll_tokens > 0);
    const double weight = nll_weight_ / static_cast<double>(totals_.nll_tokens);
    loss -= weight * example[nll_response()].logp;
    seeds[nll_response()] -= weight;
  }
  if (!std::isfinite(loss)) {
    return loss;
  }

  const bool averages = logps_ == Logps::averages;
  metrics.add("rewards/chosen", pair.chosen_reward);
  metrics.add("rewards/rejected", pair.rejected_reward);
  metrics.add("rewards/margins", pair.chosen_reward - pair.rejected_reward);
  metrics.add("rewards/accuracies", pair.chosen_reward > pair.rejected_reward ? 1 : 0);
  metrics.add("logps/chosen", averages ? average_logp(chosen) : chosen.logp);
  metrics.add("logps/rejected", averages ? average_logp(rejected) : rejected.logp);
  add_response_metrics(metrics, "chosen", chosen);
  add_response_metrics(metrics, "rejected", rejected);
  if (nll_weight_ != 0) {
    const ResponseScore& likely = example[nll_response()];
    metrics.add("nll_loss", -average_logp(likely), static_cast<double>(likely.tokens));
  }
  return loss;
}

}  // namespace lmpo

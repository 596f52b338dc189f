#include "objective/pair.h"

#include <cmath>

#include "base/error.h"

namespace lmpo {

double PairObjective::evaluate(ExampleScores example, std::span<double> seeds,
                               MetricSums& metrics) {
  LMPO_CHECK(example.size() == 2 && seeds.size() == 2);
  LMPO_CHECK(totals_.examples > 0);
  const ResponseScore& chosen = example[0];
  const ResponseScore& rejected = example[1];
  LMPO_CHECK(chosen.tokens > 0 && rejected.tokens > 0);

  const PairLoss pair = pair_loss(chosen, rejected, metrics);
  const auto examples = static_cast<double>(totals_.examples);
  double loss = pair.value / examples;
  seeds[0] = pair.chosen_seed / examples;
  seeds[1] = pair.rejected_seed / examples;
  if (nll_weight_ != 0) {
    LMPO_CHECK(totals_.chosen_tokens > 0);
    const double weight = nll_weight_ / static_cast<double>(totals_.chosen_tokens);
    loss -= weight * chosen.logp;
    seeds[0] -= weight;
  }
  if (!std::isfinite(loss)) {
    return loss;
  }

  const auto chosen_tokens = static_cast<double>(chosen.tokens);
  const auto rejected_tokens = static_cast<double>(rejected.tokens);
  const bool averages = logps_ == Logps::averages;
  metrics.add("rewards/chosen", pair.chosen_reward);
  metrics.add("rewards/rejected", pair.rejected_reward);
  metrics.add("rewards/margins", pair.chosen_reward - pair.rejected_reward);
  metrics.add("rewards/accuracies", pair.chosen_reward > pair.rejected_reward ? 1 : 0);
  metrics.add("logps/chosen", averages ? average_logp(chosen) : chosen.logp);
  metrics.add("logps/rejected", averages ? average_logp(rejected) : rejected.logp);
  metrics.add("logps_sum/chosen", chosen.logp);
  metrics.add("logps_sum/rejected", rejected.logp);
  metrics.add("lengths/chosen", chosen_tokens);
  metrics.add("lengths/rejected", rejected_tokens);
  if (nll_weight_ != 0) {
    metrics.add("nll_loss", -average_logp(chosen), chosen_tokens);
  }
  return loss;
}

}  // namespace lmpo

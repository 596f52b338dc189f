#include "objective/ranked.h"

#include <cmath>

#include "base/error.h"
#include "objective/pair.h"

namespace lmpo {

double RankedObjective::evaluate(ExampleScores example, std::span<double> seeds,
                                 MetricSums& metrics) {
  LMPO_CHECK(example.size() >= 2 && seeds.size() == example.size());
  LMPO_CHECK(totals_.examples > 0 && totals_.nll_tokens > 0);
  std::vector<double> averages;
  for (const ResponseScore& response : example) {
    averages.push_back(average_logp(response));
  }
  std::vector<double> slopes(averages.size(), 0.0);
  const auto examples = static_cast<double>(totals_.examples);
  const double nll_share = nll_weight_ / static_cast<double>(totals_.nll_tokens);
  const double loss = list_loss(averages, slopes) / examples - nll_share * example[0].logp;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    seeds[i] = slopes[i] / examples / static_cast<double>(example[i].tokens);
  }
  seeds[0] -= nll_share;
  if (std::isfinite(loss)) {
    const ResponseScore& best = example.front();
    metrics.add("rewards/chosen", averages.front());
    metrics.add("rewards/rejected", averages.back());
    metrics.add("rewards/margins", averages.front() - averages.back());
    metrics.add("rewards/accuracies", averages.front() > averages.back() ? 1 : 0);
    metrics.add("logps/chosen", averages.front());
    metrics.add("logps/rejected", averages.back());
    add_response_metrics(metrics, "chosen", best);
    add_response_metrics(metrics, "rejected", example.back());
    metrics.add("nll_loss", -averages.front(), static_cast<double>(best.tokens));
  }
  return loss;
}

}  // namespace lmpo

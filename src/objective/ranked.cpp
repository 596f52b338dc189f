#include "objective/ranked.h"

#include <cmath>

#include "base/error.h"
#include "objective/pair.h"

namespace lmpo {

ExampleResult RankedObjective::evaluate(const BatchContext& batch, std::int64_t,
                                        ExampleScores example) const {
  const BatchTotals& totals = batch.totals;
  LMPO_CHECK(example.size() >= 2 && totals.examples > 0 && totals.nll_tokens > 0);
  std::vector<double> averages;
  for (const ResponseScore& response : example) {
    averages.push_back(average_logp(response));
  }
  std::vector<double> slopes(averages.size(), 0.0);
  const auto examples = static_cast<double>(totals.examples);
  const double nll_share = nll_weight_ / static_cast<double>(totals.nll_tokens);
  const ResponseScore& best = example.front();
  ExampleResult result = {.loss = list_loss(averages, slopes) / examples - nll_share * best.logp};
  for (std::size_t i = 0; i < example.size(); ++i) {
    result.seeds.push_back(slopes[i] / examples / static_cast<double>(example[i].tokens));
  }
  result.seeds[0] -= nll_share;
  if (std::isfinite(result.loss)) {
    add_pair_metrics(result.metrics, best, averages.front(), example.back(), averages.back(),
                     Logps::averages);
    add_nll_metric(result.metrics, best);
  }
  return result;
}

}  // namespace lmpo

#include "objective/metric_names.h"

namespace lmpo {
namespace {

std::vector<ResponseScore> made_up_example(const Objective& objective, bool desirable) {
  const bool several =
      objective.form() == ExampleForm::pair || objective.form() == ExampleForm::ranked;
  const std::size_t responses =
      (several ? 2U : 1U) + (objective.extra() == ExtraResponse::none ? 0U : 1U);
  std::vector<ResponseScore> scores;
  for (std::size_t i = 0; i < responses; ++i) {
    const double logp = -1 - static_cast<double>(i);
    scores.push_back({.logp = logp, .reference_logp = logp, .tokens = 1, .desirable = desirable});
  }
  return scores;
}

}  // namespace

std::vector<std::string> metric_names(Objective& objective) {
  const std::vector<std::vector<ResponseScore>> examples = {made_up_example(objective, true),
                                                            made_up_example(objective, false)};
  BatchTotals totals;
  totals.examples = std::ssize(examples);
  totals.nll_tokens = totals.examples;
  totals.training = false;
  objective.begin_step(totals, objective.needs_batch_scores()
                                   ? examples
                                   : std::vector<std::vector<ResponseScore>>());
  MetricSums metrics;
  for (const auto& example : examples) {
    std::vector<double> seeds(example.size());
    objective.evaluate(example, seeds, metrics);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics.means()) {
    names.push_back(name);
  }
  return names;
}

}  // namespace lmpo

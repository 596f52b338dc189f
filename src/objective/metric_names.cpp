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

std::vector<std::string> metric_names(const Objective& objective) {
  const std::vector<std::vector<ResponseScore>> examples = {made_up_example(objective, true),
                                                            made_up_example(objective, false)};
  const BatchContext batch = objective.begin_step(
      {.examples = std::ssize(examples), .nll_tokens = std::ssize(examples), .training = false},
      examples);
  MetricSums sums;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    sums.add(objective.evaluate(batch, static_cast<std::int64_t>(i), examples[i]).metrics);
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : sums.means()) {
    names.push_back(name);
  }
  return names;
}

}  // namespace lmpo

// sft: supervised fine-tuning, the token mean of the negative log-likelihood.
//
//   L = - sum of s / sum of n      over the global batch, in nats a token
//
// Source: docs/method.md section 3. Which tokens are scored (the response, or the whole
// conversation) is decided where rows become trees.
#include <cmath>

#include "base/error.h"
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Sft final : public Objective {
 public:
  ExampleForm form() const override { return ExampleForm::single; }

  double evaluate(ExampleScores example, std::span<double> seeds, MetricSums& metrics) override {
    LMPO_CHECK(example.size() == 1 && seeds.size() == 1);
    LMPO_CHECK(totals_.nll_tokens > 0);
    const ResponseScore& response = example[0];
    const double weight = 1 / static_cast<double>(totals_.nll_tokens);
    const double loss = -weight * response.logp;
    seeds[0] = -weight;
    if (std::isfinite(loss)) {
      metrics.add("nll_loss", -average_logp(response), static_cast<double>(response.tokens));
      add_response_metrics(metrics, "chosen", response);
    }
    return loss;
  }
};

}  // namespace

ObjectiveInfo sft_objective() {
  return {
      .name = "sft",
      .summary = "supervised fine-tuning on the responses",
      .formula = "-sum(s) / sum(n) over the global batch",
      .paper = std::nullopt,
      .options = {},
      .defaults = {},
      .published = {2e-5, 2e-5, 0, "the SFT models of github.com/huggingface/alignment-handbook"},
      .make = [](const ObjectiveOptions&) -> std::unique_ptr<Objective> {
        return std::make_unique<Sft>();
      },
  };
}

}  // namespace lmpo

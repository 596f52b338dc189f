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
  explicit Sft(const ObjectiveOptions&) {}
  ExampleForm form() const override { return ExampleForm::single; }

  ExampleResult evaluate(const BatchContext& batch, std::int64_t,
                         ExampleScores example) const override {
    LMPO_CHECK(example.size() == 1 && batch.totals.nll_tokens > 0);
    const ResponseScore& response = example[0];
    const double weight = 1 / static_cast<double>(batch.totals.nll_tokens);
    ExampleResult result = {.loss = -weight * response.logp, .seeds = {-weight}};
    if (std::isfinite(result.loss)) {
      add_nll_metric(result.metrics, response);
      add_response_metrics(result.metrics, kChosen, response);
    }
    return result;
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
      .make = make_class<Sft>,
  };
}

}  // namespace lmpo

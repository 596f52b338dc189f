// kto: Kahneman-Tversky Optimization (Ethayarajh et al., ICML 2024, arXiv 2402.01306), for single
// responses that are labelled desirable or undesirable.
//
//   z  = s - r                               sum of log-probabilities, in nats; r: the reference
//   z0 = max(0, mean of z over mismatched prompts and responses of the global batch)
//   L = w_d (1 - sigma(beta (z - z0)))       desirable,   w_d = desirable_weight
//   L = w_u (1 - sigma(beta (z0 - z)))       undesirable, w_u = undesirable_weight
//
// z0 estimates the divergence from the reference; it is a constant in the gradient. A batch may hold
// one label only. Rewards: beta z; desirable responses are logged as chosen, others as rejected.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Kto final : public Objective {
 public:
  explicit Kto(const ObjectiveOptions& options)
      : beta_(options.beta),
        desirable_weight_(options.desirable_weight),
        undesirable_weight_(options.undesirable_weight) {}

  ExampleForm form() const override { return ExampleForm::labelled; }
  ExtraResponse extra() const override { return ExtraResponse::mismatched; }
  bool needs_reference() const override { return true; }
  bool needs_batch_scores() const override { return true; }

  ExampleResult evaluate(const BatchContext& batch, std::int64_t,
                         ExampleScores example) const override {
    LMPO_CHECK(example.size() == 2 && batch.totals.examples > 0);
    const ResponseScore& response = example[0];
    const double divergence = batch.shared.at(0);
    const double sign = response.desirable ? 1 : -1;
    const double weight = (response.desirable ? desirable_weight_ : undesirable_weight_) /
                          static_cast<double>(batch.totals.examples);
    const double z = log_ratio(response);
    const double gain = sign * beta_ * (z - divergence);
    const double seed = -sign * weight * beta_ * sigmoid(-gain) * sigmoid(gain);
    ExampleResult result = {.loss = weight * sigmoid(-gain),  // 1 - sigma
                            .seeds = {seed, 0}};
    if (std::isfinite(result.loss)) {
      const SideNames& side = response.desirable ? kChosen : kRejected;
      result.metrics = {{side.rewards, beta_ * z}, {side.logps, response.logp}, {"kl", divergence}};
      add_response_metrics(result.metrics, side, response);
    }
    return result;
  }

 private:
  // z0.
  std::vector<double> shared(const BatchTotals&, BatchScores scores) const override {
    double divergence = 0;
    for (const auto& example : scores) {
      divergence += log_ratio(example[1]) / static_cast<double>(scores.size());
    }
    return {std::max(0.0, divergence)};
  }

  double beta_;
  double desirable_weight_;
  double undesirable_weight_;
};

}  // namespace

ObjectiveInfo kto_objective() {
  return {
      .name = "kto",
      .summary = "single responses, desirable or not, against a reference model",
      .formula = "w_d (1 - sigma(beta (z - z0))) or w_u (1 - sigma(beta (z0 - z))), z = s - r",
      .paper =
          Paper{.key = "ethayarajh2024kto",
                .title = "KTO: Model Alignment as Prospect Theoretic Optimization",
                .authors =
                    "Kawin Ethayarajh and Winnie Xu and Niklas Muennighoff and Dan Jurafsky and "
                    "Douwe Kiela",
                .arxiv = "2402.01306",
                .year = 2024},
      .options = {"beta", "desirable_weight", "undesirable_weight"},
      .defaults = {.beta = 0.1},
      .published = simpo_search(0.01, 0.9),
      .make = make_class<Kto>,
  };
}

}  // namespace lmpo

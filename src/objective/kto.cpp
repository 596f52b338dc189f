// kto: Kahneman-Tversky Optimization (Ethayarajh et al., ICML 2024, arXiv 2402.01306), for single
// responses that people approved of (desirable) or not.
//
//   z  = s - r                               sum of log-probabilities, in nats; r: the reference
//   z0 = max(0, mean of z over mismatched prompts and responses of the global batch)
//   L = w_d (1 - sigma(beta (z - z0)))       desirable,   w_d = desirable_weight
//   L = w_u (1 - sigma(beta (z0 - z)))       undesirable, w_u = undesirable_weight
//
// z0 estimates the divergence from the reference; it is a constant in the gradient. The batch may
// hold one class alone. Rewards: beta z, of desirable responses as chosen, of others as rejected.
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

  void begin_step(const BatchTotals& totals,
                  std::span<const std::vector<ResponseScore>> scores) override {
    Objective::begin_step(totals, scores);
    divergence_ = 0;
    for (const auto& example : scores) {
      divergence_ += log_ratio(example[1]) / static_cast<double>(scores.size());
    }
    divergence_ = std::max(0.0, divergence_);
  }

  double evaluate(ExampleScores example, std::span<double> seeds, MetricSums& metrics) override {
    LMPO_CHECK(example.size() == 2 && seeds.size() == 2 && totals_.examples > 0);
    const ResponseScore& response = example[0];
    const double sign = response.desirable ? 1 : -1;
    const double weight = (response.desirable ? desirable_weight_ : undesirable_weight_) /
                          static_cast<double>(totals_.examples);
    const double z = log_ratio(response);
    const double gain = sign * beta_ * (z - divergence_);
    const double loss = weight * sigmoid(-gain);  // 1 - sigma
    seeds[0] = -sign * weight * beta_ * sigmoid(-gain) * sigmoid(gain);
    seeds[1] = 0;
    if (std::isfinite(loss)) {
      const std::string side = response.desirable ? "chosen" : "rejected";
      metrics.add("rewards/" + side, beta_ * z);
      metrics.add("logps/" + side, response.logp);
      add_response_metrics(metrics, side, response);
      metrics.add("kl", divergence_);
    }
    return loss;
  }

 private:
  double beta_;
  double desirable_weight_;
  double undesirable_weight_;
  double divergence_ = 0;  // z0
};

}  // namespace

ObjectiveInfo kto_objective() {
  return {
      .name = "kto",
      .summary = "single responses, approved of or not, against a reference model",
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
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 1e-6,
                    .batch = 128,
                    .source = kSimpoSearch,
                    .lowest_beta = 0.01,
                    .highest_beta = 0.9},
      .make = [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
        return std::make_unique<Kto>(options);
      },
  };
}

}  // namespace lmpo

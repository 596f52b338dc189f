// cpo: Contrastive Preference Optimization (Xu et al., ICML 2024, arXiv 2401.08417).
//
//   z = beta (s_w - s_l)                     sums of log-probabilities, in nats
//   L = (1 - e) softplus(-z) + e softplus(z)          loss_type sigmoid, e = label_smoothing
//   L = max(0, 1 - z)                                 loss_type hinge
//   and cpo_alpha * NLL(y_w), a token mean over the global batch
//
// Rewards: beta s.
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Cpo final : public PairObjective {
 public:
  explicit Cpo(const ObjectiveOptions& options)
      : PairObjective(Logps::sums, options.cpo_alpha),
        beta_(options.beta),
        loss_(margin_loss(options.loss_type, options.label_smoothing)) {}

 private:
  PairLoss pair_loss(const ResponseScore& chosen, const ResponseScore& rejected,
                     MetricSums&) override {
    PairLoss result;
    result.chosen_reward = beta_ * chosen.logp;
    result.rejected_reward = beta_ * rejected.logp;
    const MarginLoss loss = loss_(result.chosen_reward - result.rejected_reward);
    result.value = loss.value;
    result.chosen_seed = loss.slope * beta_;
    result.rejected_seed = -loss.slope * beta_;
    return result;
  }

  double beta_;
  MarginLossFunction loss_;
};

}  // namespace

ObjectiveInfo cpo_objective() {
  return {
      .name = "cpo",
      .summary = "dpo without a reference model, and the chosen responses' NLL",
      .formula = "softplus(-beta (s_w - s_l)) + cpo_alpha NLL(y_w)",
      .paper =
          Paper{
              .key = "xu2024contrastive",
              .title =
                  "Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance "
                  "in Machine Translation",
              .authors =
                  "Haoran Xu and Amr Sharaf and Yunmo Chen and Weiting Tan and Lingfeng Shen and "
                  "Benjamin Van Durme and Kenton Murray and Young Jin Kim",
              .arxiv = "2401.08417",
              .year = 2024},
      .options = {"beta", "cpo_alpha", "loss_type", "label_smoothing"},
      .defaults = {.beta = 0.1},
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 1e-6,
                    .batch = 128,
                    .source = kSimpoSearch,
                    .lowest_beta = 0.01,
                    .highest_beta = 0.1},
      .make = [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
        return std::make_unique<Cpo>(options);
      },
  };
}

}  // namespace lmpo

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

std::unique_ptr<Objective> make(const ObjectiveOptions& options) {
  return make_reward_objective({
      .reward =
          [beta = options.beta](const ResponseScore& response) {
            return Reward{beta * response.logp, beta};
          },
      .loss = margin_loss(options.loss_type, options.label_smoothing),
      .nll_weight = options.cpo_alpha,
  });
}

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
      .published = simpo_search(0.01, 0.1),
      .make = make,
  };
}

}  // namespace lmpo

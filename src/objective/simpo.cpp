// simpo: Simple Preference Optimization (Meng, Xia, Chen, NeurIPS 2024, arXiv 2405.14734).
//
//   z = beta a_w - beta a_l - gamma                  a = s / n, average log-probability, in nats
//   L = (1 - e) softplus(-z) + e softplus(z)         loss_type sigmoid, e = label_smoothing
//   L = max(0, 1 - z)                                loss_type hinge
//   and sft_weight * NLL(y_w), a token mean over the global batch
//
// gamma is given itself or as gamma_beta_ratio * beta (default ratio 0.25). Rewards: beta * a.
#include "base/error.h"
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

double target_margin(const ObjectiveOptions& options) {
  if (options.gamma && options.gamma_beta_ratio) {
    user_error("gamma and gamma_beta_ratio set the same number: give only one of them");
  }
  return options.gamma.value_or(options.gamma_beta_ratio.value_or(0.25) * options.beta);
}

std::unique_ptr<Objective> make(const ObjectiveOptions& options) {
  return make_reward_objective({
      .reward =
          [beta = options.beta](const ResponseScore& response) {
            return Reward{beta * average_logp(response),
                          beta / static_cast<double>(response.tokens)};
          },
      .loss = margin_loss(options.loss_type, options.label_smoothing),
      .target = [gamma = target_margin(options)](const auto&, const auto&) { return gamma; },
      .logps = Logps::averages,
      .nll_weight = options.sft_weight,
  });
}

}  // namespace

ObjectiveInfo simpo_objective() {
  return {
      .name = "simpo",
      .summary = "length-normalised rewards and a target margin, without a reference model",
      .formula = "softplus(-(beta (a_w - a_l) - gamma))",
      .paper = Paper{.key = "meng2024simpo",
                     .title = "SimPO: Simple Preference Optimization with a Reference-Free Reward",
                     .authors = "Yu Meng and Mengzhou Xia and Danqi Chen",
                     .arxiv = "2405.14734",
                     .year = 2024},
      .options = {"beta", "gamma", "gamma_beta_ratio", "loss_type", "label_smoothing",
                  "sft_weight"},
      .defaults = {},
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 1e-6,
                    .batch = 128,
                    .source = "github.com/princeton-nlp/SimPO",
                    .lowest_beta = 2,
                    .highest_beta = 10,
                    .schedule_is_default = true},
      .make = make,
  };
}

}  // namespace lmpo

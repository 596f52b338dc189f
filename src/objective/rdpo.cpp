// rdpo: length-regularised DPO (Park et al., ACL 2024, arXiv 2403.19159).
//
//   z = (s_w - r_w) - (s_l - r_l)            sums of log-probabilities, in nats; r: the reference
//   L = softplus(-(beta z - alpha (n_w - n_l)))       alpha = rdpo_alpha, in nats a token
//
// Rewards: beta (s - r). With alpha 0 it is dpo.
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

std::unique_ptr<Objective> make(const ObjectiveOptions& options) {
  return make_reward_objective({
      .reward = log_ratio_reward(options.beta),
      .loss = margin_loss(PairLossType::sigmoid, 0),
      .target =
          [alpha = options.rdpo_alpha](const ResponseScore& chosen, const ResponseScore& rejected) {
            return alpha * static_cast<double>(chosen.tokens - rejected.tokens);
          },
      .needs_reference = true,
  });
}

}  // namespace

ObjectiveInfo rdpo_objective() {
  return {
      .name = "rdpo",
      .summary = "dpo with a price on length",
      .formula = "softplus(-(beta ((s_w - r_w) - (s_l - r_l)) - alpha (n_w - n_l)))",
      .paper = Paper{.key = "park2024disentangling",
                     .title = "Disentangling Length from Quality in Direct Preference Optimization",
                     .authors = "Ryan Park and Rafael Rafailov and Stefano Ermon and Chelsea Finn",
                     .arxiv = "2403.19159",
                     .year = 2024},
      .options = {"beta", "rdpo_alpha"},
      .defaults = {.beta = 0.1, .rdpo_alpha = 0.05},
      .published = simpo_search(0.01, 0.1),
      .make = make,
  };
}

}  // namespace lmpo

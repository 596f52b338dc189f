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

class Rdpo final : public PairObjective {
 public:
  explicit Rdpo(const ObjectiveOptions& options)
      : PairObjective(Logps::sums), beta_(options.beta), alpha_(options.rdpo_alpha) {}
  bool needs_reference() const override { return true; }

 private:
  PairLoss pair_loss(const ResponseScore& chosen, const ResponseScore& rejected,
                     MetricSums&) override {
    PairLoss result;
    result.chosen_reward = beta_ * log_ratio(chosen);
    result.rejected_reward = beta_ * log_ratio(rejected);
    const auto longer = static_cast<double>(chosen.tokens - rejected.tokens);
    const MarginLoss loss =
        logistic_loss((result.chosen_reward - result.rejected_reward) - alpha_ * longer, 0);
    result.value = loss.value;
    result.chosen_seed = loss.slope * beta_;
    result.rejected_seed = -loss.slope * beta_;
    return result;
  }

  double beta_;
  double alpha_;
};

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
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 1e-6,
                    .batch = 128,
                    .source = kSimpoSearch,
                    .lowest_beta = 0.01,
                    .highest_beta = 0.1},
      .make = [](const ObjectiveOptions& options) -> std::unique_ptr<Objective> {
        return std::make_unique<Rdpo>(options);
      },
  };
}

}  // namespace lmpo

// simper: SimPER (Xiao et al., ICLR 2025, arXiv 2502.00883), inverse perplexities and nothing to
// tune.
//
//   L = -e^{a_w} + e^{a_l}                   a = s / n, average log-probability, in nats
//
// Rewards: e^a, the inverse perplexity.
#include <cmath>

#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Simper final : public PairObjective {
 public:
  explicit Simper(const ObjectiveOptions&) : PairObjective(Logps::averages) {}

 private:
  PairLoss pair_loss(const Pair& pair) const override {
    const double chosen_reward = std::exp(average_logp(pair.chosen));
    const double rejected_reward = std::exp(average_logp(pair.rejected));
    return {.value = rejected_reward - chosen_reward,
            .chosen_seed = -chosen_reward / static_cast<double>(pair.chosen.tokens),
            .rejected_seed = rejected_reward / static_cast<double>(pair.rejected.tokens),
            .chosen_reward = chosen_reward,
            .rejected_reward = rejected_reward};
  }
};

}  // namespace

ObjectiveInfo simper_objective() {
  return {
      .name = "simper",
      .summary = "the difference of inverse perplexities, without hyper-parameters",
      .formula = "-e^{a_w} + e^{a_l}",
      .paper =
          Paper{.key = "xiao2025simper",
                .title =
                    "SimPER: A Minimalist Approach to Preference Alignment without Hyperparameters",
                .authors =
                    "Teng Xiao and Yige Yuan and Zhengyu Chen and Mingxiao Li and Shangsong Liang "
                    "and Zhaochun Ren and Vasant G. Honavar",
                .arxiv = "2502.00883",
                .year = 2025},
      .options = {},
      .defaults = {},
      .published = {3e-7, 1e-6, 128, "github.com/tengxiao1/SimPER"},
      .make = make_class<Simper>,
  };
}

}  // namespace lmpo

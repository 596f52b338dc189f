// slic: Sequence Likelihood Calibration with human feedback (Zhao et al. 2023, arXiv 2305.10425),
// in the form compared by SimPO (arXiv 2405.14734): without a reference model.
//
//   L = max(0, delta - s_w + s_l) - lambda s_w      sums of log-probabilities, in nats
//
// Rewards: s.
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Slic final : public PairObjective {
 public:
  explicit Slic(const ObjectiveOptions& options)
      : PairObjective(Logps::sums), delta_(options.delta), lambda_(options.lambda) {}

 private:
  PairLoss pair_loss(const Pair& pair) const override {
    const double chosen = pair.chosen.logp;
    const double rejected = pair.rejected.logp;
    const MarginLoss loss = hinge_loss(chosen - rejected, delta_);
    return {.value = loss.value - lambda_ * chosen,
            .chosen_seed = loss.slope - lambda_,
            .rejected_seed = -loss.slope,
            .chosen_reward = chosen,
            .rejected_reward = rejected};
  }

  double delta_;
  double lambda_;
};

}  // namespace

ObjectiveInfo slic_objective() {
  return {
      .name = "slic",
      .summary = "a hinge between the responses' likelihoods, and the chosen one's likelihood",
      .formula = "max(0, delta - s_w + s_l) - lambda s_w",
      .paper =
          Paper{
              .key = "zhao2023slic",
              .title = "SLiC-HF: Sequence Likelihood Calibration with Human Feedback",
              .authors =
                  "Yao Zhao and Rishabh Joshi and Tianqi Liu and Misha Khalman and Mohammad Saleh "
                  "and Peter J. Liu",
              .arxiv = "2305.10425",
              .year = 2023},
      .options = {"delta", "lambda"},
      .defaults = {.lambda = 1},
      .published = simpo_search(),
      .make = make_class<Slic>,
  };
}

}  // namespace lmpo

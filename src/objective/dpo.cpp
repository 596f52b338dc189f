// dpo: Direct Preference Optimization (Rafailov et al., NeurIPS 2023, arXiv 2305.18290), and two
// losses on the same log-ratios, as TRL has them.
//
//   z = (s_w - r_w) - (s_l - r_l)            sums of log-probabilities, in nats; r: the reference
//   L = (1 - e) softplus(-beta z) + e softplus(beta z)     loss_type sigmoid, e = label_smoothing
//   L = max(0, 1 - beta z)                                 loss_type hinge
//   L = (u - 1 / (2 beta))^2                               loss_type ipo
//       u = (s_w - r_w) / n_w - (s_l - r_l) / n_l          Azar et al. 2023, arXiv 2310.12036, with
//                                                          averages per token as its authors advise
//
// and sft_weight * NLL(y_w), a token mean over the global batch: TRL's rpo_alpha of old
//
// Rewards: beta (s - r); with ipo beta (s - r) / n. At step 0 the policy is the reference, so z is
// 0.
#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

constexpr Paper kPaper = {
    .key = "rafailov2023direct",
    .title = "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    .authors =
        "Rafael Rafailov and Archit Sharma and Eric Mitchell and Christopher D. Manning "
        "and Stefano Ermon and Chelsea Finn",
    .arxiv = "2305.18290",
    .year = 2023};

class Ipo final : public PairObjective {
 public:
  explicit Ipo(const ObjectiveOptions& options)
      : PairObjective(Logps::averages, options.sft_weight),
        beta_(options.beta),
        has_nll_(options.sft_weight != 0) {}
  bool needs_reference() const override { return true; }
  std::optional<double> loss_at_reference() const override {
    return has_nll_ ? std::nullopt : std::optional(0.25 / (beta_ * beta_));
  }

 private:
  PairLoss pair_loss(const Pair& pair) const override {
    const auto chosen_tokens = static_cast<double>(pair.chosen.tokens);
    const auto rejected_tokens = static_cast<double>(pair.rejected.tokens);
    const double chosen_ratio = log_ratio(pair.chosen) / chosen_tokens;
    const double rejected_ratio = log_ratio(pair.rejected) / rejected_tokens;
    const double distance = (chosen_ratio - rejected_ratio) - 1 / (2 * beta_);
    return {.value = distance * distance,
            .chosen_seed = 2 * distance / chosen_tokens,
            .rejected_seed = -2 * distance / rejected_tokens,
            .chosen_reward = beta_ * chosen_ratio,
            .rejected_reward = beta_ * rejected_ratio};
  }

  double beta_;
  bool has_nll_;
};

std::unique_ptr<Objective> make_dpo(const ObjectiveOptions& options) {
  if (options.loss_type == PairLossType::ipo) {
    return std::make_unique<Ipo>(options);
  }
  return make_reward_objective({
      .reward = log_ratio_reward(options.beta),
      .loss = margin_loss(options.loss_type, options.label_smoothing),
      .nll_weight = options.sft_weight,
      .needs_reference = true,
  });
}

std::unique_ptr<Objective> make_hinge(const ObjectiveOptions& options) {
  ObjectiveOptions hinge = options;
  hinge.loss_type = PairLossType::hinge;
  return make_dpo(hinge);
}

}  // namespace

ObjectiveInfo dpo_objective() {
  return {
      .name = "dpo",
      .summary = "rewards are log-ratios to a reference model",
      .formula = "softplus(-beta ((s_w - r_w) - (s_l - r_l)))",
      .paper = kPaper,
      .options = {"beta", "loss_type", "label_smoothing", "sft_weight"},
      .defaults = {.beta = 0.1},
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 7e-7,
                    .batch = 128,
                    .source = "the DPO models of github.com/princeton-nlp/SimPO",
                    .lowest_beta = 0.01,
                    .highest_beta = 0.1},
      .make = make_dpo,
  };
}

ObjectiveInfo ipo_objective() {
  return {
      .name = "ipo",
      .summary =
          "dpo with loss_type ipo: a margin of 1 / (2 beta) a token is reached, not exceeded",
      .formula = "((s_w - r_w) / n_w - (s_l - r_l) / n_l - 1 / (2 beta))^2",
      .paper =
          Paper{.key = "azar2023general",
                .title =
                    "A General Theoretical Paradigm to Understand Learning from Human Preferences",
                .authors =
                    "Mohammad Gheshlaghi Azar and Mark Rowland and Bilal Piot and Daniel Guo and "
                    "Daniele Calandriello and Michal Valko and R{\\'e}mi Munos",
                .arxiv = "2310.12036",
                .year = 2023},
      .options = {"beta", "sft_weight"},
      .defaults = {.beta = 0.1},
      .published = simpo_search(0.01, 0.9),
      .make = make_class<Ipo>,
  };
}

ObjectiveInfo hinge_objective() {
  return {
      .name = "hinge",
      .summary = "dpo with loss_type hinge",
      .formula = "max(0, 1 - beta ((s_w - r_w) - (s_l - r_l)))",
      .paper = kPaper,
      .options = {"beta", "sft_weight"},
      .defaults = {.beta = 0.1},
      .published = {},
      .make = make_hinge,
  };
}

}  // namespace lmpo

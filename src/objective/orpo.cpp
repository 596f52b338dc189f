// orpo: Odds Ratio Preference Optimization (Hong, Lee, Thorne, EMNLP 2024, arXiv 2403.07691).
//
//   z = log odds(a_w) - log odds(a_l)        a = s / n, average log-probability, in nats
//   log odds(a) = a - log(1 - e^a)
//   L = NLL(y_w) + beta softplus(-z)         beta is the paper's lambda
//
// NLL is a token mean over the global batch: of the whole chosen conversation, prompt included, as
// in TRL (nll_on conversation), or of the response (nll_on response). Odds are bounded: an average
// probability nearer to 1 than 1e-15 counts as 1 - 1e-15, with slope 0. Rewards: beta a.
#include <algorithm>
#include <cmath>

#include "objective/pair.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

constexpr double kNearestToZero = -1e-15;

struct LogOdds {
  double value;
  double slope;  // by a: 1 / (1 - e^a)
};

LogOdds log_odds(double a) {
  const double bounded = std::min(a, kNearestToZero);
  const double rest = -std::expm1(bounded);  // 1 - e^a
  return {bounded - std::log(rest), a < kNearestToZero ? 1 / rest : 0};
}

class Orpo final : public PairObjective {
 public:
  explicit Orpo(const ObjectiveOptions& options)
      : PairObjective(Logps::averages, 1), beta_(options.beta), nll_on_(options.nll_on) {}

  ExtraResponse extra() const override {
    return nll_on_ == NllTokens::conversation ? ExtraResponse::conversation : ExtraResponse::none;
  }
  std::size_t nll_response() const override { return nll_on_ == NllTokens::conversation ? 2 : 0; }

 private:
  PairLoss pair_loss(const Pair& pair) const override {
    const double chosen = average_logp(pair.chosen);
    const double rejected = average_logp(pair.rejected);
    const LogOdds chosen_odds = log_odds(chosen);
    const LogOdds rejected_odds = log_odds(rejected);
    const double z = chosen_odds.value - rejected_odds.value;
    const MarginLoss loss = logistic_loss(z, 0);
    const double slope = beta_ * loss.slope;
    return {
        .value = beta_ * loss.value,
        .chosen_seed = slope * chosen_odds.slope / static_cast<double>(pair.chosen.tokens),
        .rejected_seed = -slope * rejected_odds.slope / static_cast<double>(pair.rejected.tokens),
        .chosen_reward = beta_ * chosen,
        .rejected_reward = beta_ * rejected,
        .metrics = {{"log_odds_ratio", -loss.value}, {"log_odds_chosen", z}}};
  }

  double beta_;
  NllTokens nll_on_;
};

}  // namespace

ObjectiveInfo orpo_objective() {
  return {
      .name = "orpo",
      .summary = "the chosen conversations' NLL and an odds ratio, without a reference model",
      .formula = "NLL(y_w) + beta softplus(-(log odds(a_w) - log odds(a_l)))",
      .paper = Paper{.key = "hong2024orpo",
                     .title = "ORPO: Monolithic Preference Optimization without Reference Model",
                     .authors = "Jiwoo Hong and Noah Lee and James Thorne",
                     .arxiv = "2403.07691",
                     .year = 2024},
      .options = {"beta", "nll_on"},
      .defaults = {.beta = 0.1},
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 8e-6,
                    .batch = 128,
                    .source = "the ORPO paper (arXiv 2403.07691), the ORPO recipes of the "
                              "alignment handbook, and the search of the SimPO paper",
                    .lowest_beta = 0.05,
                    .highest_beta = 2},
      .make = make_class<Orpo>,
  };
}

}  // namespace lmpo

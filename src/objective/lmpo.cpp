// lmpo: Length-Controlled Margin-Based Preference Optimization (arXiv 2502.14643).
//
//   d = beta a_w - beta a_l - lambda mbar            a = s / n, average log-probability, in nats
//   L = log(1 + h e^-d) = softplus(log h - d)        (10), (11)
//   mbar = (m - a) / b                               (9): running mean and deviation of m
//   m = margin_scale * (1 - p_w)(1 - delta^5)        (7) and its relatives, margin.h
//   p = exp(a (n_w + n_l) / (2 n))                   (8), or exp(a) with length_normalization none
//
// log h is home_advantage, or gamma_beta_ratio * beta (default 1.6). Equation numbers are the
// paper's; docs/method.md section 2 has the derivatives. With the margin detached this is SimPO
// with the target margin log h + lambda mbar for each pair. Rewards: beta * a.
#include "base/error.h"
#include "objective/margin.h"
#include "objective/pair.h"
#include "objective/registry.h"
#include "objective/statistics.h"

namespace lmpo {
namespace {

double log_home_advantage(const ObjectiveOptions& options) {
  if (options.home_advantage && options.gamma_beta_ratio) {
    user_error("home_advantage and gamma_beta_ratio set the same number: give only one of them");
  }
  return options.gamma_beta_ratio ? *options.gamma_beta_ratio * options.beta
                                  : options.home_advantage.value_or(1.6);
}

class Lmpo final : public PairObjective {
 public:
  explicit Lmpo(const ObjectiveOptions& options)
      : PairObjective(Logps::averages),
        options_(options),
        log_home_(log_home_advantage(options)),
        statistics_(options.zscore, options.ema_decay, options.zscore_group) {}

  bool needs_batch_scores() const override { return statistics_.needs_margins(); }

  void end_step(const BatchContext& batch, std::span<const Observation> observations) override {
    std::vector<double> margins;
    for (const Observation& observed : observations) {
      margins.insert(margins.end(), observed.begin(), observed.end());
    }
    statistics_.update(batch.shared, margins);
  }
  json state() const override { return statistics_.state(); }
  void restore(const json& state) override { statistics_.restore(state); }

 private:
  // The scales of statistics.h.
  std::vector<double> shared(const BatchTotals& totals, BatchScores scores) const override {
    std::vector<double> margins;
    for (const auto& pair : scores) {
      LMPO_CHECK(pair.size() == 2);
      margins.push_back(scaled_margin(pair[0], pair[1]).value);
    }
    return totals.training ? statistics_.step_scales(margins)
                           : statistics_.evaluation_scales(margins);
  }

  // m, and its derivatives with respect to the two summed log-probabilities.
  struct ScaledMargin {
    double value;
    double by_chosen;
    double by_rejected;
  };

  // The exponent of (8) is factor * s; returns the factor, which is also (dp/ds) / p.
  double exponent_factor(std::int64_t own, std::int64_t other) const {
    const auto n = static_cast<double>(own);
    return options_.length_normalization == LengthNormalization::none
               ? 1 / n
               : (n + static_cast<double>(other)) / (2 * n * n);
  }

  ScaledMargin scaled_margin(const ResponseScore& chosen, const ResponseScore& rejected) const {
    const double w = exponent_factor(chosen.tokens, rejected.tokens);
    const double l = exponent_factor(rejected.tokens, chosen.tokens);
    const PairProbabilities p(w * chosen.logp, l * rejected.logp);
    const MarginValue m =
        margin_value(options_.margin, p, options_.margin_alpha, options_.margin_beta);
    const double scale = options_.margin_scale;
    return {scale * m.value, scale * m.by_chosen * p.chosen * w,
            scale * m.by_rejected * p.rejected * l};
  }

  PairLoss pair_loss(const Pair& pair) const override {
    const ResponseScore& chosen = pair.chosen;
    const ResponseScore& rejected = pair.rejected;
    const ScaledMargin margin = scaled_margin(chosen, rejected);
    const Zscale scale = statistics_.scale_at(pair.batch.shared, pair.place);
    const double term = options_.lambda * scale.normalize(margin.value);

    PairLoss result;
    result.chosen_reward = options_.beta * average_logp(chosen);
    result.rejected_reward = options_.beta * average_logp(rejected);
    const double d = result.chosen_reward - result.rejected_reward - term;
    result.value = softplus(log_home_ - d);

    const double slope = -sigmoid(log_home_ - d);  // dL/dd
    result.chosen_seed = slope * (options_.beta / static_cast<double>(chosen.tokens));
    result.rejected_seed = -slope * (options_.beta / static_cast<double>(rejected.tokens));
    if (options_.margin_gradient == MarginGradient::full) {
      const double by_margin = -slope * (options_.lambda / scale.deviation);  // dL/dm
      result.chosen_seed += by_margin * margin.by_chosen;
      result.rejected_seed += by_margin * margin.by_rejected;
    }
    result.observation = {margin.value};
    result.metrics = {{"lmpo/margin_mean", scale.mean},
                      {"lmpo/margin_std", scale.deviation},
                      {"lmpo/margin_term", term}};
    return result;
  }

  ObjectiveOptions options_;
  double log_home_;
  ZscoreStatistics statistics_;
};

}  // namespace

ObjectiveInfo lmpo_objective() {
  return {
      .name = "lmpo",
      .summary = "simpo with a margin of its own for every pair, z-scored over the run",
      .formula = "softplus(log h - (beta (a_w - a_l) - lambda mbar))",
      .paper =
          Paper{
              .key = "li2025lmpo",
              .title =
                  "Length-Controlled Margin-Based Preference Optimization without Reference Model",
              .authors = "Gengxu Li and Tingyu Xia and Yi Chang and Yuan Wu",
              .arxiv = "2502.14643",
              .year = 2025},
      .options = {"beta", "home_advantage", "gamma_beta_ratio", "lambda", "margin", "margin_alpha",
                  "margin_beta", "margin_scale", "margin_gradient", "length_normalization",
                  "zscore", "ema_decay", "zscore_group"},
      .defaults = {},
      .published = {.lowest_rate = 3e-7,
                    .highest_rate = 1e-6,
                    .batch = 128,
                    .source = "Table 5 of arXiv 2502.14643",
                    .lowest_beta = 2,
                    .highest_beta = 2.5,
                    .schedule_is_default = true},
      .make = make_class<Lmpo>,
  };
}

}  // namespace lmpo

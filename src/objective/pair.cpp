#include "objective/pair.h"

#include <cmath>
#include <utility>

#include "base/error.h"

namespace lmpo {

MarginLoss logistic_loss(double z, double label_smoothing) {
  MarginLoss loss = {(1 - label_smoothing) * softplus(-z), -(1 - label_smoothing) * sigmoid(-z)};
  if (label_smoothing != 0) {
    loss.value += label_smoothing * softplus(z);
    loss.slope += label_smoothing * sigmoid(z);
  }
  return loss;
}

MarginLoss hinge_loss(double z, double target) {
  const double lack = target - z;
  return {lack <= 0 ? 0 : lack, z < target ? -1.0 : 0.0};  // NaN stays NaN
}

MarginLossFunction margin_loss(PairLossType type, double label_smoothing) {
  switch (type) {
    case PairLossType::sigmoid:
      return [=](double z) { return logistic_loss(z, label_smoothing); };
    case PairLossType::hinge:
      if (label_smoothing != 0) {
        user_error("label_smoothing works with loss_type sigmoid only, not with hinge");
      }
      return [](double z) { return hinge_loss(z, 1); };
    case PairLossType::ipo:
      break;
  }
  user_error("loss_type ipo works with the objective dpo only; expected sigmoid or hinge");
}

RewardFunction log_ratio_reward(double beta) {
  return [=](const ResponseScore& response) { return Reward{beta * log_ratio(response), beta}; };
}

void add_response_metrics(Metrics& metrics, const SideNames& side, const ResponseScore& response) {
  metrics.push_back({side.logps_per_token, average_logp(response)});
  metrics.push_back({side.logps_sum, response.logp});
  metrics.push_back({side.lengths, static_cast<double>(response.tokens)});
}

void add_pair_metrics(Metrics& metrics, const ResponseScore& chosen, double chosen_reward,
                      const ResponseScore& rejected, double rejected_reward, Logps logps) {
  const auto add_side = [&](const SideNames& side, const ResponseScore& response, double reward) {
    metrics.push_back({side.rewards, reward});
    metrics.push_back(
        {side.logps, logps == Logps::averages ? average_logp(response) : response.logp});
    add_response_metrics(metrics, side, response);
  };
  add_side(kChosen, chosen, chosen_reward);
  add_side(kRejected, rejected, rejected_reward);
  metrics.push_back({"rewards/margins", chosen_reward - rejected_reward});
  metrics.push_back({"rewards/accuracies", chosen_reward > rejected_reward ? 1.0 : 0.0});
}

void add_nll_metric(Metrics& metrics, const ResponseScore& response) {
  metrics.push_back({"nll_loss", -average_logp(response), static_cast<double>(response.tokens)});
}

ExampleResult PairObjective::evaluate(const BatchContext& batch, std::int64_t place,
                                      ExampleScores example) const {
  LMPO_CHECK(example.size() >= 2 && batch.totals.examples > 0);
  const ResponseScore& chosen = example[0];
  const ResponseScore& rejected = example[1];
  LMPO_CHECK(chosen.tokens > 0 && rejected.tokens > 0);

  PairLoss pair = pair_loss({chosen, rejected, batch, place});
  const auto examples = static_cast<double>(batch.totals.examples);
  ExampleResult result = {.loss = pair.value / examples,
                          .seeds = std::vector<double>(example.size(), 0.0)};
  result.seeds[0] = pair.chosen_seed / examples;
  result.seeds[1] = pair.rejected_seed / examples;
  if (nll_weight_ != 0) {
    LMPO_CHECK(batch.totals.nll_tokens > 0);
    const double weight = nll_weight_ / static_cast<double>(batch.totals.nll_tokens);
    result.loss -= weight * example[nll_response()].logp;
    result.seeds[nll_response()] -= weight;
  }
  if (!std::isfinite(result.loss)) {
    return result;
  }
  result.observation = std::move(pair.observation);
  result.metrics = std::move(pair.metrics);
  add_pair_metrics(result.metrics, chosen, pair.chosen_reward, rejected, pair.rejected_reward,
                   logps_);
  if (nll_weight_ != 0) {
    add_nll_metric(result.metrics, example[nll_response()]);
  }
  return result;
}

namespace {

class RewardObjective final : public PairObjective {
 public:
  explicit RewardObjective(RewardLoss terms)
      : PairObjective(terms.logps, terms.nll_weight), terms_(std::move(terms)) {}

  bool needs_reference() const override { return terms_.needs_reference; }
  std::optional<double> loss_at_reference() const override {
    const bool rewards_alone = terms_.nll_weight == 0 && !terms_.target;
    return terms_.needs_reference && rewards_alone ? std::optional(terms_.loss(0).value)
                                                   : std::nullopt;
  }

 private:
  PairLoss pair_loss(const Pair& pair) const override {
    const Reward chosen = terms_.reward(pair.chosen);
    const Reward rejected = terms_.reward(pair.rejected);
    const double target = terms_.target ? terms_.target(pair.chosen, pair.rejected) : 0;
    const MarginLoss loss = terms_.loss(chosen.value - rejected.value - target);
    return {.value = loss.value,
            .chosen_seed = loss.slope * chosen.slope,
            .rejected_seed = -loss.slope * rejected.slope,
            .chosen_reward = chosen.value,
            .rejected_reward = rejected.value};
  }

  RewardLoss terms_;
};

}  // namespace

std::unique_ptr<Objective> make_reward_objective(RewardLoss terms) {
  return std::make_unique<RewardObjective>(std::move(terms));
}

}  // namespace lmpo

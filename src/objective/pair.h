// What every objective on pairs shares: division by the size of the global batch, an optional
// negative log-likelihood of the chosen response, and the metrics.
#pragma once

#include <functional>
#include <memory>

#include "objective/objective.h"
#include "objective/options.h"

namespace lmpo {

// One pair and where it stands: all that its loss may depend on.
struct Pair {
  const ResponseScore& chosen;
  const ResponseScore& rejected;
  const BatchContext& batch;
  std::int64_t place;
};

// The loss of one pair before division by the batch's size.
struct PairLoss {
  double value = 0;
  double chosen_seed = 0;  // d value / d logp of the chosen response
  double rejected_seed = 0;
  double chosen_reward = 0;  // what rewards/* reports
  double rejected_reward = 0;
  Metrics metrics = {};  // beside those of every pair
  Observation observation = {};
};

// Whether logps/* reports averages per token (length-normalised methods) or sums.
enum class Logps { averages, sums };

class PairObjective : public Objective {
 public:
  ExampleResult evaluate(const BatchContext& batch, std::int64_t place,
                         ExampleScores example) const final;

 protected:
  // nll_weight: factor of the chosen response's NLL, a token mean over the global batch.
  explicit PairObjective(Logps logps, double nll_weight = 0)
      : logps_(logps), nll_weight_(nll_weight) {}

 private:
  virtual PairLoss pair_loss(const Pair& pair) const = 0;

  Logps logps_;
  double nll_weight_;
};

// A loss of the margin z between two rewards, and its derivative with respect to z.
struct MarginLoss {
  double value = 0;
  double slope = 0;
};
// (1 - e) softplus(-z) + e softplus(z), e = label_smoothing.
MarginLoss logistic_loss(double z, double label_smoothing);
// max(0, target - z).
MarginLoss hinge_loss(double z, double target);
using MarginLossFunction = std::function<MarginLoss(double z)>;
// logistic_loss or hinge_loss with target 1, as `type` says. UserError for another type, and for
// label smoothing with hinge.
MarginLossFunction margin_loss(PairLossType type, double label_smoothing);

// A reward of a response and its derivative with respect to logp.
struct Reward {
  double value = 0;
  double slope = 0;
};
using RewardFunction = std::function<Reward(const ResponseScore& response)>;
// beta (s - r), the reward of DPO.
RewardFunction log_ratio_reward(double beta);

// L = loss(reward(chosen) - reward(rejected) - target(chosen, rejected)), and an NLL beside it.
struct RewardLoss {
  RewardFunction reward;
  MarginLossFunction loss;
  // Empty: 0.
  std::function<double(const ResponseScore& chosen, const ResponseScore& rejected)> target = {};
  Logps logps = Logps::sums;
  double nll_weight = 0;
  bool needs_reference = false;
};
std::unique_ptr<Objective> make_reward_objective(RewardLoss terms);

// Log-ratio to the reference: s - r.
inline double log_ratio(const ResponseScore& response) {
  return response.logp - response.reference_logp;
}

// Average log-probability of a token.
inline double average_logp(const ResponseScore& response) {
  return response.logp / static_cast<double>(response.tokens);
}

// The names of what is logged of one side of a pair.
struct SideNames {
  std::string_view rewards;
  std::string_view logps;
  std::string_view logps_per_token;
  std::string_view logps_sum;
  std::string_view lengths;
};
inline constexpr SideNames kChosen = {"rewards/chosen", "logps/chosen", "logps_per_token/chosen",
                                      "logps_sum/chosen", "lengths/chosen"};
inline constexpr SideNames kRejected = {"rewards/rejected", "logps/rejected",
                                        "logps_per_token/rejected", "logps_sum/rejected",
                                        "lengths/rejected"};

// Length and log-probability of one response, as a sum and per token. These names mean the same for
// every method; logps/*, TRL's name, is the one or the other.
void add_response_metrics(Metrics& metrics, const SideNames& side, const ResponseScore& response);
// The same of two responses, and their rewards, margin and accuracy.
void add_pair_metrics(Metrics& metrics, const ResponseScore& chosen, double chosen_reward,
                      const ResponseScore& rejected, double rejected_reward, Logps logps);
// nll_loss, a token mean.
void add_nll_metric(Metrics& metrics, const ResponseScore& response);

}  // namespace lmpo

// pro: Preference Ranking Optimization (Song et al., AAAI 2024, arXiv 2306.17492).
//
//   L = sum over k < K of  log(sum over i >= k of e^{a_i}) - a_k      a_1 the best of K responses
//   and sft_weight * NLL(y_1), a token mean over the global batch
//
// a = s / n, average log-probability, in nats; each response contends with all that rank below it.
// With two responses and sft_weight 0: softplus(-(a_w - a_l)). Rewards: a, of the best and the
// worst.
#include <algorithm>
#include <cmath>

#include "objective/ranked.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Pro final : public RankedObjective {
 public:
  explicit Pro(const ObjectiveOptions& options) : RankedObjective(options.sft_weight) {}

 private:
  double list_loss(std::span<const double> averages, std::span<double> slopes) const override {
    double loss = 0;
    for (std::size_t k = 0; k + 1 < averages.size(); ++k) {
      const auto contenders = averages.subspan(k);
      const auto largest = std::ranges::max_element(contenders);
      double others = 0;  // relative to the largest
      for (auto a = contenders.begin(); a != contenders.end(); ++a) {
        others += a == largest ? 0 : std::exp(*a - *largest);
      }
      loss += (*largest - averages[k]) + std::log1p(others);
      for (std::size_t i = k + 1; i < averages.size(); ++i) {
        const double chance = std::exp(averages[i] - *largest) / (1 + others);
        slopes[i] += chance;
        slopes[k] -= chance;
      }
    }
    return loss;
  }
};

}  // namespace

ObjectiveInfo pro_objective() {
  return {
      .name = "pro",
      .summary = "ranked lists: each response against all that rank below it",
      .formula = "sum_k (log sum_{i>=k} e^{a_i} - a_k) + sft_weight NLL(y_1)",
      .paper = Paper{.key = "song2023preference",
                     .title = "Preference Ranking Optimization for Human Alignment",
                     .authors =
                         "Feifan Song and Bowen Yu and Minghao Li and Haiyang Yu and Fei Huang and "
                         "Yongbin Li and Houfeng Wang",
                     .arxiv = "2306.17492",
                     .year = 2023},
      .options = {"sft_weight"},
      .defaults = {.sft_weight = 0.05},
      .published = {},
      .make = make_class<Pro>,
  };
}

}  // namespace lmpo

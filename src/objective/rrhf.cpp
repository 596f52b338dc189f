// rrhf: Rank Responses to align with Human Feedback (Yuan et al., NeurIPS 2023, arXiv 2304.05302).
//
//   L = sum over pairs i ranked above j of  max(0, a_j - a_i)
//   and sft_weight * NLL(y_1), a token mean over the global batch
//
// a = s / n, average log-probability, in nats. Rewards: a, of the best and the worst.
#include <algorithm>

#include "objective/ranked.h"
#include "objective/registry.h"

namespace lmpo {
namespace {

class Rrhf final : public RankedObjective {
 public:
  explicit Rrhf(const ObjectiveOptions& options) : RankedObjective(options.sft_weight) {}

 private:
  double list_loss(std::span<const double> averages, std::span<double> slopes) const override {
    double loss = 0;
    for (std::size_t better = 0; better < averages.size(); ++better) {
      for (std::size_t worse = better + 1; worse < averages.size(); ++worse) {
        const double excess = averages[worse] - averages[better];
        if (!(excess <= 0)) {  // also where it is not a number
          loss += excess;
          slopes[worse] += 1;
          slopes[better] -= 1;
        }
      }
    }
    return loss;
  }
};

}  // namespace

ObjectiveInfo rrhf_objective() {
  return {
      .name = "rrhf",
      .summary = "ranked lists: no response may be likelier than a better one",
      .formula = "sum_{i<j} max(0, a_j - a_i) + sft_weight NLL(y_1)",
      .paper =
          Paper{
              .key = "yuan2023rrhf",
              .title = "RRHF: Rank Responses to Align Language Models with Human Feedback without "
                       "tears",
              .authors =
                  "Zheng Yuan and Hongyi Yuan and Chuanqi Tan and Wei Wang and Songfang Huang and "
                  "Fei Huang",
              .arxiv = "2304.05302",
              .year = 2023},
      .options = {"sft_weight"},
      .defaults = {.sft_weight = 1},
      .published = simpo_search(),
      .make = make_class<Rrhf>,
  };
}

}  // namespace lmpo

#include "judge/l1_logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "objective/objective.h"

namespace lmpo::l1_logistic_test {
namespace {

// Rows with targets that follow no model, so that no weight is 0 by construction.
LogisticProblem random_problem(std::uint64_t seed) {
  Random random(seed, 0);
  LogisticProblem problem;
  for (int i = 0; i < 300; ++i) {
    const Features x = {std::tanh(random.normal()), 2 * random.normal(),
                        random.uniform() < 0.3 ? 0.0 : 1.0};
    const double weight = random.uniform() < 0.5 ? 0.1 : 1;
    const double target = sigmoid(-x[0] + 0.4 * x[1] + 0.3 * x[2] + 2 * random.normal());
    problem.rows.push_back({x, weight});
    for (std::size_t j = 0; j < x.size(); ++j) {
      problem.target_sum[j] += weight * target * x[j];
    }
  }
  return problem;
}

// The optimality condition: the loss's slope along a weight is -sign(b) / C, or within 1 / C where b is 0.
TEST(L1Logistic, MeetsTheOptimalityCondition) {
  int zeros = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const LogisticProblem problem = random_problem(seed);
    for (const double c : {1e-3, 2e-2, 0.1, 2.7826, 166.81, 1e4}) {
      const Features weights = fit_l1_logistic(problem, c);
      Features slope{};
      for (const WeightedRow& row : problem.rows) {
        for (std::size_t j = 0; j < slope.size(); ++j) {
          slope[j] +=
              row.weight * sigmoid(linear_predictor(weights, row.features)) * row.features[j];
        }
      }
      for (std::size_t j = 0; j < slope.size(); ++j) {
        slope[j] -= problem.target_sum[j];
        if (weights[j] == 0) {
          ++zeros;
          EXPECT_LE(std::abs(slope[j]), 1 / c + 1e-9);
        } else {
          EXPECT_NEAR(slope[j], weights[j] > 0 ? -1 / c : 1 / c, 1e-9);
        }
      }
    }
  }
  EXPECT_GT(zeros, 20);
}

// One feature of one row: C (sigmoid(b) - p) = -1.
TEST(L1Logistic, OfOneFeatureInClosedForm) {
  const LogisticProblem problem = {.rows = {{{0, 0, 1}, 1}}, .target_sum = {0, 0, 0.9}};
  const double chance = 0.9 - 1.0 / 10;
  EXPECT_NEAR(fit_l1_logistic(problem, 10)[2], std::log(chance / (1 - chance)), 1e-12);
  EXPECT_EQ(fit_l1_logistic(problem, 2)[2], 0);  // 2 (0.9 - 0.5) < 1
}

TEST(L1Logistic, AlwaysWonStaysFinite) {
  const LogisticProblem problem = {.rows = {{{0, 0, 1}, 1}, {{0, 0, 1}, 1}},
                                   .target_sum = {0, 0, 2}};
  // 2 C (1 - sigmoid(b)) = 1
  EXPECT_NEAR(fit_l1_logistic(problem, 1e4)[2], std::log(2e4 - 1), 1e-6);
}

}  // namespace
}  // namespace lmpo::l1_logistic_test

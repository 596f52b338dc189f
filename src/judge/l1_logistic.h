// Logistic regression with an L1 penalty, of three weights: the exact optimum.
//
//   minimise over b:  |b|_1 + C sum_i w_i [p_i log(1 + e^-eta_i) + (1 - p_i) log(1 + e^eta_i)]
//   with eta_i = b . x_i
//
// as scikit-learn's LogisticRegression(penalty="l1", C=C, fit_intercept=False) states it. The targets
// p are probabilities. They enter only through their sum with weights and features, so targets of
// which no more than this sum is known will do. scikit-learn's solver, liblinear, stops near the
// optimum; this one goes on to the precision of a double.
#pragma once

#include <array>
#include <span>
#include <vector>

namespace lmpo {

using Features = std::array<double, 3>;

struct WeightedRow {
  Features features{};
  double weight = 1;
};

struct LogisticProblem {
  std::vector<WeightedRow> rows;
  Features target_sum{};  // sum_i w_i p_i x_i
};

// The weights b. `c` is positive.
Features fit_l1_logistic(const LogisticProblem& problem, double c);

// b . x
double linear_predictor(const Features& weights, const Features& features);

}  // namespace lmpo

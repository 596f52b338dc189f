#include "judge/l1_logistic.h"

#include <algorithm>
#include <cmath>

#include "objective/objective.h"

namespace lmpo {
namespace {

constexpr std::size_t kWeights = std::tuple_size_v<Features>;
using Curvature = std::array<Features, kWeights>;

double l1_norm(const Features& weights) {
  double sum = 0;
  for (const double weight : weights) {
    sum += std::abs(weight);
  }
  return sum;
}

double objective_value(const LogisticProblem& problem, double c, const Features& weights) {
  double loss = -linear_predictor(weights, problem.target_sum);
  for (const WeightedRow& row : problem.rows) {
    loss += row.weight * softplus(linear_predictor(weights, row.features));
  }
  return l1_norm(weights) + c * loss;
}

// Of the smooth part.
struct Expansion {
  Features gradient{};
  Curvature curvature{};
};

Expansion expand(const LogisticProblem& problem, double c, const Features& weights) {
  Expansion at;
  for (const WeightedRow& row : problem.rows) {
    const double chance = sigmoid(linear_predictor(weights, row.features));
    const double slope = row.weight * chance;
    const double bend = slope * (1 - chance);
    for (std::size_t i = 0; i < kWeights; ++i) {
      at.gradient[i] += slope * row.features[i];
      for (std::size_t j = 0; j < kWeights; ++j) {
        at.curvature[i][j] += bend * row.features[i] * row.features[j];
      }
    }
  }
  for (std::size_t i = 0; i < kWeights; ++i) {
    at.gradient[i] = c * (at.gradient[i] - problem.target_sum[i]);
    for (double& value : at.curvature[i]) {
      value *= c;
    }
    // Keeps the step finite along a feature that is 0 everywhere, or where all chances are 0 or 1.
    at.curvature[i][i] += 1e-12 * c;
  }
  return at;
}

double soft_threshold(double value, double by) {
  return value > by ? value - by : value < -by ? value + by : 0;
}

// The minimum of the quadratic model with the L1 norm, by coordinate descent.
Features newton_target(const Expansion& at, const Features& weights) {
  Features target = weights;
  for (int sweep = 0; sweep < 2000; ++sweep) {
    double moved = 0;
    for (std::size_t j = 0; j < kWeights; ++j) {
      double slope = at.gradient[j];
      for (std::size_t k = 0; k < kWeights; ++k) {
        slope += at.curvature[j][k] * (target[k] - weights[k]);
      }
      const double bend = at.curvature[j][j];
      const double next = soft_threshold(target[j] - slope / bend, 1 / bend);
      moved = std::max(moved, std::abs(next - target[j]));
      target[j] = next;
    }
    if (moved < 1e-15) {
      break;
    }
  }
  return target;
}

Features between(const Features& from, const Features& to, double share) {
  Features result{};
  for (std::size_t i = 0; i < kWeights; ++i) {
    result[i] = from[i] + share * (to[i] - from[i]);
  }
  return result;
}

}  // namespace

double linear_predictor(const Features& weights, const Features& features) {
  double sum = 0;
  for (std::size_t i = 0; i < kWeights; ++i) {
    sum += weights[i] * features[i];
  }
  return sum;
}

// Proximal Newton steps, each halved until the objective does not grow.
Features fit_l1_logistic(const LogisticProblem& problem, double c) {
  Features weights{};
  double value = objective_value(problem, c, weights);
  for (int step = 0; step < 200; ++step) {
    const Features target = newton_target(expand(problem, c, weights), weights);
    double moved = 0;
    for (std::size_t i = 0; i < kWeights; ++i) {
      moved = std::max(moved, std::abs(target[i] - weights[i]));
    }
    if (moved < 1e-12) {
      return target;
    }
    // Near the optimum the value no longer tells better from worse; there the whole step is right.
    const double rounding = 1e-13 * std::abs(value);
    double share = 1;
    double next = objective_value(problem, c, target);
    while (next > value + rounding && share > 1e-9) {
      share /= 2;
      next = objective_value(problem, c, between(weights, target, share));
    }
    weights = between(weights, target, share);
    value = next;
  }
  return weights;
}

}  // namespace lmpo

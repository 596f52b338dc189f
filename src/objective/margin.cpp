#include "objective/margin.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "objective/objective.h"

namespace lmpo {
namespace {

constexpr double kLogFloor = 1e-6;

// f(delta) of m = (1 - p_w) f(delta), and its derivative.
struct Shape {
  double value;
  double slope;
};

Shape power5(const PairProbabilities& p) {
  const double d = p.delta;
  return {p.one_less_delta * (1 + d * (1 + d * (1 + d * (1 + d)))), -5 * d * d * d * d};
}

Shape cube(const PairProbabilities& p) {
  const double d = p.delta;
  return {p.one_less_delta * (1 + d * (1 + d)), -3 * d * d};
}

Shape logarithm(const PairProbabilities& p, double alpha) {
  const double below = std::max(p.one_less_delta, kLogFloor);
  const double above = std::max(p.one_plus_delta, kLogFloor);
  double slope = 0;
  slope -= below == p.one_less_delta ? 1 / below : 0;
  slope -= above == p.one_plus_delta ? 1 / above : 0;
  return {(std::log(below) - std::log(above)) / alpha + 0.5, slope / alpha};
}

Shape logistic(const PairProbabilities& p, double beta) {
  const double value = sigmoid(-p.delta / beta);
  return {value, -value * sigmoid(p.delta / beta) / beta};
}

Shape shape_of(Margin margin, const PairProbabilities& p, double alpha, double beta) {
  switch (margin) {
    case Margin::power5:
      return power5(p);
    case Margin::cube:
      return cube(p);
    case Margin::log:
      return logarithm(p, alpha);
    case Margin::sigmoid:
      return logistic(p, beta);
  }
  LMPO_CHECK(false);
  return {};
}

}  // namespace

PairProbabilities::PairProbabilities(double x_chosen, double x_rejected) {
  const double w = x_chosen > 0 ? 0 : x_chosen;  // NaN stays NaN
  const double l = x_rejected > 0 ? 0 : x_rejected;
  chosen = std::exp(w);
  rejected = std::exp(l);
  chosen_rest = -std::expm1(w);
  delta = w >= l ? -chosen * std::expm1(l - w) : rejected * std::expm1(w - l);
  one_less_delta = chosen_rest + rejected;
  one_plus_delta = chosen - std::expm1(l);
}

MarginValue margin_value(Margin margin, const PairProbabilities& p, double alpha, double beta) {
  const Shape shape = shape_of(margin, p, alpha, beta);
  return {p.chosen_rest * shape.value, -shape.value + p.chosen_rest * shape.slope,
          -p.chosen_rest * shape.slope};
}

}  // namespace lmpo

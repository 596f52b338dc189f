// The margins of LMPO (docs/method.md section 2): functions of the two responses' probabilities.
#pragma once

#include "objective/options.h"

namespace lmpo {

// p = exp(x) for x <= 0 (a larger x counts as 0), kept so that nothing cancels where p is near 1
// or the two are near each other.
struct PairProbabilities {
  PairProbabilities(double x_chosen, double x_rejected);

  double chosen;          // p_w
  double rejected;        // p_l
  double chosen_rest;     // 1 - p_w
  double delta;           // p_w - p_l
  double one_less_delta;  // 1 - delta
  double one_plus_delta;  // 1 + delta
};

struct MarginValue {
  double value;        // m
  double by_chosen;    // dm/dp_w
  double by_rejected;  // dm/dp_l
};

// alpha is used by `log`, beta by `sigmoid`; both > 0. Finite everywhere: `log` holds 1 - delta and
// 1 + delta at 1e-6 where they are smaller.
MarginValue margin_value(Margin margin, const PairProbabilities& p, double alpha, double beta);

}  // namespace lmpo

// Win rates of preferences as AlpacaEval computes them (alpaca_eval, metrics/helpers.py).
//
// A preference is a number from 1, the baseline's output is better, to 2, the model's is better. 1.5
// is a draw; so is 0, which old files have in its place. Anything else, such as NaN, is no preference
// and does not count.
#pragma once

#include <cstdint>
#include <span>

namespace lmpo {

// Rates and errors are in percent.
struct WinRates {
  double win_rate = 0;
  double standard_error = 0;  // NaN of fewer than two preferences
  std::int64_t wins = 0;
  std::int64_t baseline_wins = 0;
  std::int64_t draws = 0;
  std::int64_t total = 0;
  double discrete_win_rate = 0;  // each output wins, loses or draws
};
WinRates win_rates(std::span<const double> preferences);

// The preference as the chance that the model's output is better, in [0, 1]; NaN for none.
double win_chance(double preference);

}  // namespace lmpo

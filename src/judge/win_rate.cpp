#include "judge/win_rate.h"

#include <cmath>
#include <limits>
#include <vector>

#include "base/mean_error.h"

namespace lmpo {

double win_chance(double preference) {
  if (preference == 0) {
    return 0.5;
  }
  const bool is_preference = 1 <= preference && preference <= 2;
  return is_preference ? preference - 1 : std::numeric_limits<double>::quiet_NaN();
}

WinRates win_rates(std::span<const double> preferences) {
  std::vector<double> chances;
  WinRates rates;
  for (const double preference : preferences) {
    const double chance = win_chance(preference);
    if (std::isnan(chance)) {
      continue;
    }
    chances.push_back(chance);
    rates.wins += chance > 0.5 ? 1 : 0;
    rates.baseline_wins += chance < 0.5 ? 1 : 0;
    rates.draws += chance == 0.5 ? 1 : 0;
  }
  const auto [mean, error] = mean_error(chances);
  rates.win_rate = 100 * mean;
  rates.standard_error = 100 * error;
  rates.total = std::ssize(chances);
  rates.discrete_win_rate =
      100 * (static_cast<double>(rates.wins) + static_cast<double>(rates.draws) / 2) /
      static_cast<double>(rates.total);
  return rates;
}

}  // namespace lmpo

#include "base/mean_error.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace lmpo {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> values) {
  return values.empty() ? kNone
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

}  // namespace

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) {
    return kNone;
  }
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

MeanError mean_error(std::span<const double> values) {
  return {mean_of(values),
          standard_deviation(values) / std::sqrt(static_cast<double>(values.size()))};
}

}  // namespace lmpo

// Mean and standard error of numbers.
#pragma once

#include <span>

namespace lmpo {

struct MeanError {
  double mean = 0;   // NaN of no numbers
  double error = 0;  // of the mean: sd / sqrt(n), the sd with n - 1; NaN of fewer than two numbers
};
MeanError mean_error(std::span<const double> values);

// The sd with n - 1; NaN of fewer than two numbers.
double standard_deviation(std::span<const double> values);

}  // namespace lmpo

// The ops again, as plain as the formulas, for tests: templates over the scalar, so that the same
// lines give values in double and exact derivatives in std::complex<double> by the complex step
// (Squire & Trapp 1998): f'(x) = Im f(x + ih) / h for an h as small as one likes.
// Matrices are row-major vectors; the alphabet of shapes is that of ops.h.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmpo::reference {

inline double real_part(double x) {
  return x;
}
inline double real_part(const std::complex<double>& x) {
  return x.real();
}

// Element [row, column] of a matrix with this many columns.
inline std::size_t at(std::int64_t row, std::int64_t columns, std::int64_t column) {
  return static_cast<std::size_t>(row * columns + column);
}

// log(sum(exp(x))). The subtraction of the maximum is by the real part, so it stays analytic.
template <typename S>
S log_sum_exp(const std::vector<S>& x) {
  double maximum = real_part(x.front());
  for (const S& value : x) {
    maximum = real_part(value) > maximum ? real_part(value) : maximum;
  }
  S sum{};
  for (const S& value : x) {
    sum += std::exp(value - S(maximum));
  }
  return std::log(sum) + S(maximum);
}

}  // namespace lmpo::reference

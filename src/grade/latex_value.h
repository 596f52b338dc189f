// Numbers that stand for the values of formulas.
#pragma once

#include <complex>
#include <string_view>

namespace lmpo::grade {

using Complex = std::complex<long double>;

// A zero with a minus sign would change the side of a cut, as of a square root's.
inline Complex without_negative_zero(Complex value) {
  return {value.real() + 0.0L, value.imag() + 0.0L};
}

// Principal values; an infinite or undefined result is not finite.
Complex power(Complex base, Complex exponent);
Complex factorial(Complex number);
Complex binomial(Complex n, Complex k);
Complex floor_of(Complex value);
Complex ceiling_of(Complex value);
// A function by its name without backslash, such as sin, arcsin, lg, arsinh.
Complex function_value(std::string_view name, Complex argument);

// A value that depends on the name and, without jumps, on a number: for functions that are only a name.
Complex value_of_unknown(std::string_view name, Complex argument);
// The value of a variable at one of several points: somewhere in the complex plane, so that
// sqrt(x^2) is not x.
Complex value_of_variable(std::string_view name, int point);

bool is_finite(Complex value);

}  // namespace lmpo::grade

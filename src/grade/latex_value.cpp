#include "grade/latex_value.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>

namespace lmpo::grade {
namespace {

constexpr long double kNaN = std::numeric_limits<long double>::quiet_NaN();

// A whole number that is not too large to count to.
std::optional<int> small_integer(Complex value) {
  constexpr long double kLargest = 1e6L;
  if (value.imag() != 0 || std::abs(value.real()) > kLargest ||
      value.real() != std::round(value.real())) {
    return std::nullopt;
  }
  return static_cast<int>(value.real());
}

// In [0, 1), by FNV-1a.
long double fraction_of(std::string_view name, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ seed;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9u;
  hash ^= hash >> 32;
  return static_cast<long double>(hash) / 18446744073709551616.0L;
}

}  // namespace

bool is_finite(Complex value) {
  return std::isfinite(value.real()) && std::isfinite(value.imag());
}

Complex power(Complex base, Complex exponent) {
  if (base == Complex(0)) {
    return exponent == Complex(0) ? Complex(1) : exponent.real() > 0 ? Complex(0) : Complex(kNaN);
  }
  if (const auto count = small_integer(exponent)) {
    Complex result = 1;
    Complex square = base;
    for (int rest = std::abs(*count); rest > 0; rest /= 2) {
      result *= rest % 2 == 1 ? square : Complex(1);
      square = rest > 1 ? square * square : square;
    }
    return without_negative_zero(*count < 0 ? Complex(1) / result : result);
  }
  if (exponent == Complex(0.5L)) {
    return without_negative_zero(std::sqrt(base));
  }
  return without_negative_zero(std::pow(base, exponent));
}

Complex factorial(Complex number) {
  const auto count = small_integer(number);
  if (!count) {
    return value_of_unknown("!", number);
  }
  return *count < 0 ? Complex(kNaN) : Complex(std::tgamma(static_cast<long double>(*count) + 1));
}

Complex binomial(Complex n, Complex k) {
  const auto of = small_integer(n);
  const auto chosen = small_integer(k);
  if (!of || !chosen) {
    return value_of_unknown("binom", n + Complex(std::numbers::sqrt2_v<long double>) * k);
  }
  long double result = *chosen < 0 ? 0 : 1;
  for (int i = 1; i <= *chosen && result != 0; ++i) {
    result = result * static_cast<long double>(*of - i + 1) / i;
  }
  return result;
}

Complex floor_of(Complex value) {
  return {std::floor(value.real()), std::floor(value.imag())};
}

Complex ceiling_of(Complex value) {
  return {std::ceil(value.real()), std::ceil(value.imag())};
}

Complex function_value(std::string_view name, Complex x) {
  struct Function {
    const char* name;
    Complex (*value)(const Complex&);
  };
  static constexpr auto kInverse = [](const Complex& value) { return Complex(1) / value; };
  static constexpr auto kFunctions = std::to_array<Function>({
      {"exp", [](const Complex& z) { return std::exp(z); }},
      {"log", [](const Complex& z) { return std::log(z); }},
      {"ln", [](const Complex& z) { return std::log(z); }},
      {"lg", [](const Complex& z) { return std::log(z) / std::log(Complex(10)); }},
      {"sin", [](const Complex& z) { return std::sin(z); }},
      {"cos", [](const Complex& z) { return std::cos(z); }},
      {"tan", [](const Complex& z) { return std::tan(z); }},
      {"csc", [](const Complex& z) { return kInverse(std::sin(z)); }},
      {"sec", [](const Complex& z) { return kInverse(std::cos(z)); }},
      {"cot", [](const Complex& z) { return kInverse(std::tan(z)); }},
      {"arcsin", [](const Complex& z) { return std::asin(z); }},
      {"arccos", [](const Complex& z) { return std::acos(z); }},
      {"arctan", [](const Complex& z) { return std::atan(z); }},
      {"arccsc", [](const Complex& z) { return std::asin(kInverse(z)); }},
      {"arcsec", [](const Complex& z) { return std::acos(kInverse(z)); }},
      {"arccot", [](const Complex& z) { return std::atan(kInverse(z)); }},
      {"sinh", [](const Complex& z) { return std::sinh(z); }},
      {"cosh", [](const Complex& z) { return std::cosh(z); }},
      {"tanh", [](const Complex& z) { return std::tanh(z); }},
      {"arsinh", [](const Complex& z) { return std::asinh(z); }},
      {"arcosh", [](const Complex& z) { return std::acosh(z); }},
      {"artanh", [](const Complex& z) { return std::atanh(z); }},
  });
  for (const Function& each : kFunctions) {
    if (each.name == name) {
      return without_negative_zero(each.value(x));
    }
  }
  return kNaN;
}

Complex value_of_unknown(std::string_view name, Complex argument) {
  const Complex bounded = argument / (1 + std::abs(argument) / 8);
  return std::sin(bounded * (0.1L + fraction_of(name, 1)) + fraction_of(name, 2)) + 1.0L;
}

Complex value_of_variable(std::string_view name, int point) {
  const auto seed = static_cast<std::uint64_t>(point) * 2;
  const long double size = std::exp2(6 * fraction_of(name, seed + 3) - 1);  // 0.5 to 32
  const long double angle = 2 * std::numbers::pi_v<long double> * fraction_of(name, seed + 4);
  return std::polar(size, angle);
}

}  // namespace lmpo::grade

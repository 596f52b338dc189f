#pragma once

#include <numbers>

#include "ops/ops.h"
#include "ops/reference/scalar.h"

namespace lmpo::reference {

// y[T,D] = x / sqrt(mean(x^2) + eps) * (offset + w[D]). Groups of D columns are rows of their own.
template <typename S>
std::vector<S> rmsnorm(const std::vector<S>& x, const std::vector<S>& w, std::int64_t rows,
                       double eps, double offset = 0) {
  const auto width = static_cast<std::int64_t>(w.size());
  std::vector<S> y(x.size());
  for (std::int64_t t = 0; t < rows; ++t) {
    S sum{};
    for (std::int64_t d = 0; d < width; ++d) {
      sum += x[at(t, width, d)] * x[at(t, width, d)];
    }
    const S root = std::sqrt(sum / S(static_cast<double>(width)) + S(eps));
    for (std::int64_t d = 0; d < width; ++d) {
      y[at(t, width, d)] = x[at(t, width, d)] / root * (S(offset) + w[at(0, 0, d)]);
    }
  }
  return y;
}

template <typename S>
S activate(const S& x, Activation activation) {
  if (activation == Activation::silu) {
    return x / (S(1.0) + std::exp(-x));
  }
  const S inner = S(std::sqrt(2.0 / std::numbers::pi)) * (x + S(0.044715) * x * x * x);
  return S(0.5) * x * (S(1.0) + std::tanh(inner));
}

// y[T,F] = activation(g) u for gate_up[T,2F] = [g | u].
template <typename S>
std::vector<S> glu(const std::vector<S>& gate_up, std::int64_t rows, std::int64_t width,
                   Activation activation) {
  std::vector<S> y(at(rows, width, 0));
  for (std::int64_t t = 0; t < rows; ++t) {
    for (std::int64_t f = 0; f < width; ++f) {
      const S gate = gate_up[at(t, 2 * width, f)];
      const S up = gate_up[at(t, 2 * width, width + f)];
      y[at(t, width, f)] = activate(gate, activation) * up;
    }
  }
  return y;
}

}  // namespace lmpo::reference

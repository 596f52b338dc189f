#pragma once

#include "ops/reference/scalar.h"

namespace lmpo::reference {

// y[T,O] = x[T,I] w[O,I]^T.
template <typename S>
std::vector<S> linear(const std::vector<S>& x, const std::vector<S>& w, std::int64_t tokens,
                      std::int64_t in, std::int64_t out) {
  std::vector<S> y(at(tokens, out, 0));
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t i = 0; i < in; ++i) {
        y[at(t, out, o)] += x[at(t, in, i)] * w[at(o, in, i)];
      }
    }
  }
  return y;
}

// y[T,O] + b[O].
template <typename S>
std::vector<S> bias(std::vector<S> y, const std::vector<S>& b) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] += b[i % b.size()];
  }
  return y;
}

// y[N,D] = x[rows[N], D]: an embedding as well.
template <typename S>
std::vector<S> gather_rows(const std::vector<S>& x, const std::vector<std::int32_t>& rows,
                           std::int64_t width) {
  std::vector<S> y;
  for (const std::int32_t row : rows) {
    const auto begin = x.begin() + row * width;
    y.insert(y.end(), begin, begin + width);
  }
  return y;
}

}  // namespace lmpo::reference

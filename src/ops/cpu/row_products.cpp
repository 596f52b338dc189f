#include "ops/cpu/row_products.h"

#include <algorithm>

#include "ops/cpu/vector.h"

namespace lmpo::cpu {
namespace {

constexpr std::int64_t kMostRows = 6;  // whose sums fit the registers, 16 columns wide

// kRows x kColumns sums in registers.
template <int kRows, int kColumns>
[[gnu::always_inline]] inline void add_tile(HeadResult c, HeadRows a, HeadRows b, std::int64_t k) {
  float sums[kRows][kColumns];
  for (int row = 0; row < kRows; ++row) {
#pragma omp simd
    for (int column = 0; column < kColumns; ++column) {
      sums[row][column] = c.data[row * c.stride + column];
    }
  }
  for (std::int64_t i = 0; i < k; ++i) {
    const float* __restrict factors = b.data + i * b.stride;
#pragma GCC unroll 6
    for (int row = 0; row < kRows; ++row) {
      const float factor = a.data[row * a.stride + i];
#pragma omp simd
      for (int column = 0; column < kColumns; ++column) {
        sums[row][column] += factor * factors[column];
      }
    }
  }
  for (int row = 0; row < kRows; ++row) {
#pragma omp simd
    for (int column = 0; column < kColumns; ++column) {
      c.data[row * c.stride + column] = sums[row][column];
    }
  }
}

// Columns that fill no register.
[[gnu::always_inline]] inline void add_rest(HeadResult c, HeadRows a, HeadRows b, std::int64_t m,
                                            std::int64_t n, std::int64_t k) {
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t i = 0; i < k; ++i) {
      const float factor = a.data[row * a.stride + i];
      for (std::int64_t column = 0; column < n; ++column) {
        c.data[row * c.stride + column] += factor * b.data[i * b.stride + column];
      }
    }
  }
}

template <int kRows>
[[gnu::always_inline]] inline void add_rows(HeadResult c, HeadRows a, HeadRows b, std::int64_t n,
                                            std::int64_t k) {
  // Few rows have room for more columns, and need them: a sum waits for its last addition.
  constexpr int kWide = kRows <= 3 ? 64 : 16;
  std::int64_t column = 0;
  const auto from = [&](auto matrix) {
    matrix.data += column;
    return matrix;
  };
  for (; column + kWide <= n; column += kWide) {
    add_tile<kRows, kWide>(from(c), a, from(b), k);
  }
  for (; column + 16 <= n; column += 16) {
    add_tile<kRows, 16>(from(c), a, from(b), k);
  }
  add_rest(from(c), a, from(b), kRows, n - column, k);
}

}  // namespace

LMPO_VECTOR void add_row_products(HeadResult c, HeadRows a, HeadRows b, std::int64_t m,
                                  std::int64_t n, std::int64_t k) {
  for (std::int64_t row = 0; row < m; row += kMostRows) {
    const HeadResult sums{c.data + row * c.stride, c.stride};
    const HeadRows factors{a.data + row * a.stride, a.stride};
    switch (std::min(kMostRows, m - row)) {
      case 1:
        add_rows<1>(sums, factors, b, n, k);
        break;
      case 2:
        add_rows<2>(sums, factors, b, n, k);
        break;
      case 3:
        add_rows<3>(sums, factors, b, n, k);
        break;
      case 4:
        add_rows<4>(sums, factors, b, n, k);
        break;
      case 5:
        add_rows<5>(sums, factors, b, n, k);
        break;
      default:
        add_rows<6>(sums, factors, b, n, k);
    }
  }
}

}  // namespace lmpo::cpu

#include "ops/cpu/matmul.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"

namespace lmpo::cpu {
namespace {

// Products of fewer multiplications cost less than waking the threads.
constexpr std::int64_t kSerialWork = 64 * 64 * 64;
// Panels begin at multiples of this, so that the library's own tiles stay whole.
constexpr std::int64_t kPanelStep = 16;

std::int64_t panel_size(std::int64_t size, std::int64_t panels) {
  const std::int64_t exact = (size + panels - 1) / panels;
  return (exact + kPanelStep - 1) / kPanelStep * kPanelStep;
}

struct Panels {
  std::int64_t rows;  // of one panel
  std::int64_t columns;
};

// One panel a thread, as close to square as the number of threads allows: a panel reads its rows of
// a and its columns of b.
Panels cut(std::int64_t m, std::int64_t n, std::int64_t count) {
  Panels best{m, panel_size(n, count)};
  for (std::int64_t across = 1; across <= count; ++across) {
    if (count % across == 0) {
      const Panels panels{panel_size(m, count / across), panel_size(n, across)};
      if (panels.rows + panels.columns < best.rows + best.columns) {
        best = panels;
      }
    }
  }
  return best;
}

// c = beta c, what remains of a product of nothing.
void scale_rows(const Product& p) {
  for (std::int64_t row = 0; row < p.m; ++row) {
    float* c = p.c + row * p.ldc;
    std::transform(c, c + p.n, c, [&](float x) { return p.beta == 0.0F ? 0.0F : p.beta * x; });
  }
}

void multiply(const Product& product, Precision precision) {
  if (!multiply_by_onednn(product, precision)) {
    LMPO_CHECK(precision == Precision::f32);
    multiply_by_blas(product);
  }
}

}  // namespace

void matmul_serial(const Product& product, Precision precision) {
  if (product.m <= 0 || product.n <= 0) {
    return;
  }
  if (product.k <= 0) {
    scale_rows(product);
    return;
  }
  if (precision == Precision::bf16 || product.longest_sum == 0) {
    multiply(product, precision);
    return;
  }
  for (std::int64_t begin = 0; begin < product.k; begin += product.longest_sum) {
    Product part = product;
    part.k = std::min(product.longest_sum, product.k - begin);
    part.a += begin * (product.ta == Transpose::yes ? product.lda : 1);
    part.b += begin * (product.tb == Transpose::yes ? 1 : product.ldb);
    part.beta = begin == 0 ? product.beta : 1.0F;
    multiply(part, precision);
  }
}

void matmul(const Product& p, Precision precision) {
  if (threads() == 1 || p.m * p.n * p.k <= kSerialWork) {
    matmul_serial(p, precision);
    return;
  }
  const Panels panel = cut(p.m, p.n, threads());
  const std::int64_t across = (p.n + panel.columns - 1) / panel.columns;
  const std::int64_t down = (p.m + panel.rows - 1) / panel.rows;
  parallel_for(across * down, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t row = index / across * panel.rows;
      const std::int64_t column = index % across * panel.columns;
      Product part = p;
      part.m = std::min(panel.rows, p.m - row);
      part.n = std::min(panel.columns, p.n - column);
      part.a += row * (p.ta == Transpose::yes ? 1 : p.lda);
      part.b += column * (p.tb == Transpose::yes ? p.ldb : 1);
      part.c += row * p.ldc + column;
      matmul_serial(part, precision);
    }
  });
}

std::size_t rounded_factors(std::int64_t m, std::int64_t n, std::int64_t k, Precision precision) {
  if (precision == Precision::f32) {
    return 0;
  }
  if (threads() == 1) {
    return rounded_bytes(m, n, k);
  }
  const Panels panel = cut(m, n, threads());
  return static_cast<std::size_t>(threads()) *
         rounded_bytes(std::min(panel.rows, m), std::min(panel.columns, n), k);
}

bool products_in_bf16() {
  static const bool answer = [] {
    const float one = 1.0F;
    float product = 0.0F;
    return multiply_by_onednn({.ta = Transpose::no,
                               .tb = Transpose::no,
                               .m = 1,
                               .n = 1,
                               .k = 1,
                               .alpha = 1.0F,
                               .a = &one,
                               .lda = 1,
                               .b = &one,
                               .ldb = 1,
                               .beta = 0.0F,
                               .c = &product,
                               .ldc = 1},
                              Precision::bf16) &&
           product == 1.0F;
  }();
  return answer;
}

}  // namespace lmpo::cpu

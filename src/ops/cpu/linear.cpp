#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/few_rows.h"
#include "ops/cpu/matmul.h"
#include "ops/shape.h"

namespace lmpo {

using cpu::matmul;
using cpu::Transpose;

namespace {

// A product with w in 16 bits, of which as much as a cache holds is widened at a time.
void multiply_stored(const cpu::Product& whole, Tensor w, cpu::Precision precision) {
  constexpr std::int64_t cached = 1 << 17;  // elements
  const std::int64_t rows = std::clamp<std::int64_t>(cached / whole.k / 16 * 16, 16, 256);
  parallel_for((whole.n + rows - 1) / rows, 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local std::vector<float> wide;
    wide.resize(static_cast<std::size_t>(rows * whole.k));
    for (std::int64_t row = begin * rows; row < std::min(end * rows, whole.n); row += rows) {
      cpu::Product part = whole;
      part.n = std::min(rows, whole.n - row);
      part.b = wide.data();
      part.c += row;
      cpu::widen(wide.data(), w, row * whole.k, part.n * whole.k);
      cpu::matmul_serial(part, precision);
    }
  });
}

}  // namespace

std::unique_ptr<Ops> make_cpu_ops(Dtype factors) {
  if (factors != Dtype::f32 && (factors != Dtype::bf16 || !cpu::products_in_bf16())) {
    user_error(
        "products of {} need a processor with AVX-512 and a build with oneDNN: compute in float32",
        dtype_name(factors));
  }
  return std::make_unique<CpuOps>(factors == Dtype::bf16 ? cpu::Precision::bf16
                                                         : cpu::Precision::f32);
}

std::size_t CpuOps::linear_scratch(std::int64_t tokens, std::int64_t in, std::int64_t out) const {
  return std::max({cpu::rounded_factors(tokens, out, in, precision_),
                   cpu::rounded_factors(tokens, in, out, precision_),
                   cpu::rounded_factors(out, in, tokens, precision_)});
}

void CpuOps::linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) {
  const std::int64_t tokens = x.dim(0);
  const std::int64_t in = x.dim(1);
  const std::int64_t out = w.dim(0);
  LMPO_CHECK(has_shape(w, {out, in}) && has_shape(y, {tokens, out}));
  if (tokens <= cpu::few_rows && w.dtype() != Dtype::f16 && precision_ == cpu::Precision::f32) {
    cpu::multiply_few_rows(y, x, w, accumulate);
    return;
  }
  const bool few = tokens <= few_tokens;
  cpu::Product product{Transpose::no,
                       Transpose::yes,
                       tokens,
                       out,
                       in,
                       1.0F,
                       x.f32(),
                       in,
                       nullptr,
                       in,
                       accumulate ? 1.0F : 0.0F,
                       y.f32(),
                       out,
                       few ? 0 : cpu::forward_sum,
                       few};
  if (w.dtype() == Dtype::f32) {
    product.b = w.f32();
    matmul(product, precision_);
  } else {
    multiply_stored(product, w, precision_);
  }
}

void CpuOps::linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) {
  const std::int64_t tokens = dy.dim(0);
  const std::int64_t out = dy.dim(1);
  const std::int64_t in = w.dim(1);
  LMPO_CHECK(has_shape(w, {out, in}) && has_shape(dx, {tokens, in}));
  matmul({Transpose::no, Transpose::no, tokens, in, out, 1.0F, dy.f32(), out, w.f32(), in,
          accumulate ? 1.0F : 0.0F, dx.f32(), in},
         precision_);
}

void CpuOps::linear_backward_weight(Tensor dw, Tensor dy, Tensor x) {
  const std::int64_t tokens = dy.dim(0);
  const std::int64_t out = dy.dim(1);
  const std::int64_t in = x.dim(1);
  LMPO_CHECK(has_shape(x, {tokens, in}) && has_shape(dw, {out, in}));
  matmul({Transpose::yes, Transpose::no, out, in, tokens, 1.0F, dy.f32(), out, x.f32(), in, 1.0F,
          dw.f32(), in},
         precision_);
}

}  // namespace lmpo

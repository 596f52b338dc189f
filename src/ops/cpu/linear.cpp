#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/independent_rows.h"
#include "ops/cpu/matmul.h"
#include "ops/shape.h"

namespace lmpo {

using cpu::matmul;
using cpu::Transpose;

namespace {

// A product with w in 16 bits, of which as much as a cache holds is widened at a time.
void multiply_stored(const cpu::Product& whole, Tensor w, cpu::Precision precision) {
  constexpr std::int64_t kCached = 1 << 17;  // elements
  const std::int64_t rows = std::clamp<std::int64_t>(kCached / whole.k / 16 * 16, 16, 256);
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
  return std::max({cpu::independent_rows_scratch(tokens, in, precision_),
                   cpu::rounded_factors(tokens, out, in, precision_),
                   cpu::rounded_factors(tokens, in, out, precision_),
                   cpu::rounded_factors(out, in, tokens, precision_)});
}

void CpuOps::run(const LinearForward& op) {
  const std::int64_t tokens = op.x.dim(0);
  const std::int64_t in = op.x.dim(1);
  const std::int64_t out = op.w.dim(0);
  LMPO_CHECK(has_shape(op.w, {out, in}) && has_shape(op.y, {tokens, out}));
  const bool eight_bits = op.w.dtype() == Dtype::i8;
  LMPO_CHECK(eight_bits ? has_shape(op.scales, {out}) : op.scales.empty());
  if (op.independent_rows || eight_bits) {
    cpu::multiply_independent_rows(op, precision_);
    return;
  }
  const bool few = tokens <= kFewTokens;
  cpu::Product product{.ta = Transpose::no,
                       .tb = Transpose::yes,
                       .m = tokens,
                       .n = out,
                       .k = in,
                       .alpha = 1.0F,
                       .a = cpu::strided_f32(op.x),
                       .lda = op.x.row_stride(),
                       .b = nullptr,
                       .ldb = in,
                       .beta = op.accumulate ? 1.0F : 0.0F,
                       .c = cpu::strided_f32(op.y),
                       .ldc = op.y.row_stride(),
                       .longest_sum = few ? 0 : cpu::kForwardSum,
                       .recurring = few};
  if (op.w.dtype() == Dtype::f32) {
    product.b = op.w.f32();
    matmul(product, precision_);
  } else {
    multiply_stored(product, op.w, precision_);
  }
}

void CpuOps::run(const LinearBackwardInput& op) {
  const std::int64_t tokens = op.dy.dim(0);
  const std::int64_t out = op.dy.dim(1);
  const std::int64_t in = op.w.dim(1);
  LMPO_CHECK(has_shape(op.w, {out, in}) && has_shape(op.dx, {tokens, in}));
  matmul({.ta = Transpose::no,
          .tb = Transpose::no,
          .m = tokens,
          .n = in,
          .k = out,
          .alpha = 1.0F,
          .a = cpu::strided_f32(op.dy),
          .lda = op.dy.row_stride(),
          .b = op.w.f32(),
          .ldb = in,
          .beta = op.accumulate ? 1.0F : 0.0F,
          .c = cpu::strided_f32(op.dx),
          .ldc = op.dx.row_stride()},
         precision_);
}

void CpuOps::run(const LinearBackwardWeight& op) {
  const std::int64_t tokens = op.dy.dim(0);
  const std::int64_t out = op.dy.dim(1);
  const std::int64_t in = op.x.dim(1);
  LMPO_CHECK(has_shape(op.x, {tokens, in}) && has_shape(op.dw, {out, in}));
  matmul({.ta = Transpose::yes,
          .tb = Transpose::no,
          .m = out,
          .n = in,
          .k = tokens,
          .alpha = 1.0F,
          .a = cpu::strided_f32(op.dy),
          .lda = op.dy.row_stride(),
          .b = cpu::strided_f32(op.x),
          .ldb = op.x.row_stride(),
          .beta = 1.0F,
          .c = op.dw.f32(),
          .ldc = in},
         precision_);
}

}  // namespace lmpo

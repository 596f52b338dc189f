#include "base/error.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/matmul.h"
#include "ops/shape.h"

namespace lmpo {

using cpu::matmul;
using cpu::Transpose;

std::unique_ptr<Ops> make_cpu_ops(Dtype factors) {
  if (factors != Dtype::f32 && (factors != Dtype::bf16 || !cpu::products_in_bf16())) {
    user_error(
        "products of {} need a processor with AVX-512 and a build with oneDNN: compute in float32",
        dtype_name(factors));
  }
  return std::make_unique<CpuOps>(factors == Dtype::bf16 ? cpu::Precision::bf16
                                                         : cpu::Precision::f32);
}

void CpuOps::linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) {
  const std::int64_t tokens = x.dim(0);
  const std::int64_t in = x.dim(1);
  const std::int64_t out = w.dim(0);
  LMPO_CHECK(has_shape(w, {out, in}) && has_shape(y, {tokens, out}));
  matmul({Transpose::no, Transpose::yes, tokens, out, in, 1.0F, x.f32(), in, w.f32(), in,
          accumulate ? 1.0F : 0.0F, y.f32(), out, cpu::forward_sum},
         precision_);
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

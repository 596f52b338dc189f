#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

using cuda::Transpose;

void CudaOps::linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) {
  require_compute({&y, &x});
  const std::int64_t tokens = x.dim(0);
  const std::int64_t in = x.dim(1);
  const std::int64_t out = w.dim(0);
  LMPO_CHECK(has_shape(w, {out, in}) && has_shape(y, {tokens, out}));
  if (w.dtype() == compute_) {
    multiplier_->multiply(
        {Transpose::no, Transpose::yes, tokens, out, in, typed(x), typed(w), typed(y), accumulate});
    return;
  }
  cuda::few_rows_product(stream_, typed(y), typed(x), typed(w), tokens, in, out, accumulate);
  launched("linear_forward", {&y, &x, &w});
}

void CudaOps::linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) {
  require_compute({&dx, &dy, &w});
  const std::int64_t tokens = dy.dim(0);
  const std::int64_t out = dy.dim(1);
  const std::int64_t in = w.dim(1);
  LMPO_CHECK(has_shape(w, {out, in}) && has_shape(dx, {tokens, in}));
  multiplier_->multiply(
      {Transpose::no, Transpose::no, tokens, in, out, typed(dy), typed(w), typed(dx), accumulate});
}

void CudaOps::linear_backward_weight(Tensor dw, Tensor dy, Tensor x) {
  require_compute({&dy, &x});
  const std::int64_t tokens = dy.dim(0);
  const std::int64_t out = dy.dim(1);
  const std::int64_t in = x.dim(1);
  LMPO_CHECK(has_shape(x, {tokens, in}) && has_shape(dw, {out, in}) && dw.dtype() == Dtype::f32);
  multiplier_->multiply(
      {Transpose::yes, Transpose::no, out, in, tokens, typed(dy), typed(x), typed(dw), true});
}

}  // namespace lmpo

#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

using cuda::Transpose;

void CudaOps::run(const LinearForward& op) {
  require_compute({&op.y, &op.x});
  const std::int64_t tokens = op.x.dim(0);
  const std::int64_t in = op.x.dim(1);
  const std::int64_t out = op.w.dim(0);
  LMPO_CHECK(op.w.is_contiguous() && has_shape(op.w, {out, in}) && has_shape(op.y, {tokens, out}));
  if (op.w.dtype() == compute_) {
    multiplier_->multiply({Transpose::no, Transpose::yes, tokens, out, in, matrix(op.x),
                           matrix(op.w), matrix(op.y), op.accumulate});
    return;
  }
  cuda::few_rows_product(stream_, matrix(op.y), matrix(op.x), typed(op.w), tokens, in, out,
                         op.accumulate);
  launched("linear_forward", {&op.y, &op.x, &op.w});
}

void CudaOps::run(const LinearBackwardInput& op) {
  require_compute({&op.dx, &op.dy, &op.w});
  const std::int64_t tokens = op.dy.dim(0);
  const std::int64_t out = op.dy.dim(1);
  const std::int64_t in = op.w.dim(1);
  LMPO_CHECK(op.w.is_contiguous() && has_shape(op.w, {out, in}) && has_shape(op.dx, {tokens, in}));
  multiplier_->multiply({Transpose::no, Transpose::no, tokens, in, out, matrix(op.dy), matrix(op.w),
                         matrix(op.dx), op.accumulate});
}

void CudaOps::run(const LinearBackwardWeight& op) {
  require_compute({&op.dy, &op.x});
  const std::int64_t tokens = op.dy.dim(0);
  const std::int64_t out = op.dy.dim(1);
  const std::int64_t in = op.x.dim(1);
  LMPO_CHECK(has_shape(op.x, {tokens, in}) && has_shape(op.dw, {out, in}) &&
             op.dw.is_contiguous() && op.dw.dtype() == Dtype::f32);
  multiplier_->multiply({Transpose::yes, Transpose::no, out, in, tokens, matrix(op.dy),
                         matrix(op.x), matrix(op.dw), true});
}

}  // namespace lmpo

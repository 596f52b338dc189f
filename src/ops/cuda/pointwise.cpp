// Norms, biases, rotary positions and SwiGLU.
#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

void CudaOps::run(const RmsNormForward& op) {
  require_compute({&op.y, &op.x});
  const std::int64_t rows = op.x.dim(0);
  const std::int64_t width = op.x.dim(1);
  LMPO_CHECK(op.y.same_shape(op.x) && has_shape(op.rstd, {rows}) && has_shape(op.w, {width}) &&
             width <= cuda::kLargestNorm);
  cuda::rmsnorm_forward(stream_, typed(op.y), op.rstd.f32(), typed(op.x), typed(op.w), op.eps,
                        op.offset, rows, width);
  launched("rmsnorm_forward", {&op.y, &op.w});
}

void CudaOps::run(const RmsNormBackward& op) {
  require_compute({&op.dx, &op.dy, &op.x});
  const std::int64_t rows = op.x.dim(0);
  const std::int64_t width = op.x.dim(1);
  LMPO_CHECK(op.dx.same_shape(op.x) && op.dy.same_shape(op.x) && has_shape(op.rstd, {rows}) &&
             has_shape(op.w, {width}) && (op.dw.empty() || has_shape(op.dw, {width})) &&
             width <= cuda::kLargestNorm);
  cuda::rmsnorm_backward(stream_, typed(op.dx), op.dw.f32(), typed(op.dy), typed(op.x), typed(op.w),
                         op.rstd.f32(), op.offset, float_scratch(), rows, width);
  launched("rmsnorm_backward", {&op.dx, &op.w});
}

void CudaOps::run(const BiasForward& op) {
  require_compute({&op.y});
  LMPO_CHECK(has_shape(op.y, {op.y.dim(0), op.y.dim(1)}) && has_shape(op.b, {op.y.dim(1)}));
  cuda::bias_forward(stream_, typed(op.y), typed(op.b), op.y.dim(0), op.y.dim(1));
  launched("bias_forward", {&op.y, &op.b});
}

void CudaOps::run(const BiasBackward& op) {
  require_compute({&op.dy});
  LMPO_CHECK(has_shape(op.dy, {op.dy.dim(0), op.dy.dim(1)}) && has_shape(op.db, {op.dy.dim(1)}));
  cuda::bias_backward(stream_, op.db.f32(), typed(op.dy), float_scratch(), op.dy.dim(0),
                      op.dy.dim(1));
  launched("bias_backward", {&op.dy});
}

void CudaOps::rotate(Tensor qkv, Tensor cos_sin, Tensor positions, const AttentionShape& shape,
                     float sign) {
  require_compute({&qkv});
  const std::int64_t tokens = qkv.dim(0);
  const std::int64_t heads = shape.query_heads + shape.key_heads;
  const std::int64_t all_heads = heads + shape.key_heads;
  LMPO_CHECK(has_shape(qkv, {tokens, shape.qkv_width()}) && has_shape(positions, {tokens}) &&
             has_shape(cos_sin, {cos_sin.dim(0), shape.head_size}) && shape.head_size % 2 == 0);
  cuda::rope(stream_, typed(qkv), cos_sin.f32(), positions.i32(), tokens, heads, all_heads,
             shape.head_size, cos_sin.dim(0), sign);
  launched("rope", {&qkv, &cos_sin});
}

void CudaOps::run(const RopeForward& op) {
  rotate(op.qkv, op.cos_sin, op.positions, op.shape, 1.0F);
}

void CudaOps::run(const RopeBackward& op) {
  rotate(op.dqkv, op.cos_sin, op.positions, op.shape, -1.0F);
}

void CudaOps::run(const GluForward& op) {
  require_compute({&op.y, &op.gate_up});
  LMPO_CHECK(has_shape(op.gate_up, {op.y.dim(0), 2 * op.y.dim(1)}));
  cuda::swiglu_forward(stream_, typed(op.y), typed(op.gate_up), op.y.dim(0), op.y.dim(1));
  launched("swiglu_forward", {&op.gate_up});
}

void CudaOps::run(const GluBackward& op) {
  require_compute({&op.dgate_up, &op.y, &op.dy, &op.gate_up});
  LMPO_CHECK(has_shape(op.gate_up, {op.dy.dim(0), 2 * op.dy.dim(1)}) &&
             op.dgate_up.same_shape(op.gate_up) && op.y.same_shape(op.dy));
  cuda::swiglu_backward(stream_, typed(op.dgate_up), typed(op.y), typed(op.dy), typed(op.gate_up),
                        op.dy.dim(0), op.dy.dim(1));
  launched("swiglu_backward", {&op.gate_up});
}

}  // namespace lmpo

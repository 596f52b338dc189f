// Norms, biases, rotary positions and gated linear units.
#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

namespace {

// Of x[T,G*D], whose groups of D columns are normalized each by itself.
cuda::NormShape norm_shape(Tensor x, Tensor w, Tensor rstd, float offset) {
  const std::int64_t width = w.dim(0);
  const std::int64_t groups = x.dim(1) / width;
  const std::int64_t vectors = x.dim(0) * groups;
  LMPO_CHECK(has_shape(x, {x.dim(0), groups * width}) && has_shape(w, {width}) &&
             rstd.elements() == vectors && width <= cuda::kLargestNorm);
  return {vectors, groups, width, offset};
}

}  // namespace

void CudaOps::run(const RmsNormForward& op) {
  require_compute({&op.y, &op.x});
  LMPO_CHECK(op.y.same_shape(op.x));
  cuda::rmsnorm_forward(stream_, matrix(op.y), op.rstd.f32(), matrix(op.x), typed(op.w), op.eps,
                        norm_shape(op.x, op.w, op.rstd, op.offset), op.accumulate);
  launched("rmsnorm_forward", {&op.y, &op.w});
}

void CudaOps::run(const RmsNormBackward& op) {
  require_compute({&op.dx, &op.dy, &op.x});
  LMPO_CHECK(op.dx.same_shape(op.x) && op.dy.same_shape(op.x) &&
             (op.dw.empty() || has_shape(op.dw, {op.w.dim(0)})));
  cuda::rmsnorm_backward(stream_, matrix(op.dx), op.dw.f32(), matrix(op.dy), matrix(op.x),
                         typed(op.w), op.rstd.f32(), float_scratch(),
                         norm_shape(op.x, op.w, op.rstd, op.offset), op.accumulate);
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

void CudaOps::rotate(Tensor qkv, Tensor cos_sin, Tensor positions, Tensor query_scale,
                     const AttentionShape& shape, float sign) {
  require_compute({&qkv});
  const cuda::RopeShape rope{qkv.dim(0),      shape.query_heads, shape.key_heads,
                             shape.head_size, cos_sin.dim(1),    cos_sin.dim(0)};
  LMPO_CHECK(has_shape(qkv, {rope.tokens, shape.qkv_width()}) &&
             has_shape(positions, {rope.tokens}) && rope.turned <= shape.head_size &&
             rope.turned % 2 == 0 &&
             (query_scale.empty() || has_shape(query_scale, {rope.table_rows})));
  cuda::rope(stream_, typed(qkv), cos_sin.f32(), positions.i32(), rope, sign);
  if (!query_scale.empty()) {
    cuda::scale_queries(stream_, typed(qkv), query_scale.f32(), positions.i32(), rope);
  }
  launched("rope", {&qkv, &cos_sin});
}

void CudaOps::run(const RopeForward& op) {
  rotate(op.qkv, op.cos_sin, op.positions, op.query_scale, op.shape, 1.0F);
}

void CudaOps::run(const RopeBackward& op) {
  rotate(op.dqkv, op.cos_sin, op.positions, op.query_scale, op.shape, -1.0F);
}

void CudaOps::run(const GluForward& op) {
  require_compute({&op.y, &op.gate_up});
  LMPO_CHECK(has_shape(op.gate_up, {op.y.dim(0), 2 * op.y.dim(1)}));
  cuda::glu_forward(stream_, typed(op.y), typed(op.gate_up), op.y.dim(0), op.y.dim(1),
                    op.activation == Activation::gelu_tanh);
  launched("glu_forward", {&op.gate_up});
}

void CudaOps::run(const GluBackward& op) {
  require_compute({&op.dgate_up, &op.y, &op.dy, &op.gate_up});
  LMPO_CHECK(has_shape(op.gate_up, {op.dy.dim(0), 2 * op.dy.dim(1)}) &&
             op.dgate_up.same_shape(op.gate_up) && op.y.same_shape(op.dy));
  cuda::glu_backward(stream_, typed(op.dgate_up), typed(op.y), typed(op.dy), typed(op.gate_up),
                     op.dy.dim(0), op.dy.dim(1), op.activation == Activation::gelu_tanh);
  launched("glu_backward", {&op.gate_up});
}

}  // namespace lmpo

// Norms, rotary positions and SwiGLU.
#include "ops/cuda/cuda_ops.h"
#include "ops/shape.h"

namespace lmpo {

void CudaOps::rmsnorm_forward(Tensor y, Tensor rstd, Tensor x, Tensor w, float eps) {
  require_compute({&y, &x});
  const std::int64_t rows = x.dim(0);
  const std::int64_t width = x.dim(1);
  LMPO_CHECK(y.same_shape(x) && has_shape(rstd, {rows}) && has_shape(w, {width}) &&
             width <= cuda::largest_norm);
  cuda::rmsnorm_forward(stream_, typed(y), rstd.f32(), typed(x), typed(w), eps, rows, width);
  launched("rmsnorm_forward", {&y, &w});
}

void CudaOps::rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, Tensor rstd) {
  require_compute({&dx, &dy, &x});
  const std::int64_t rows = x.dim(0);
  const std::int64_t width = x.dim(1);
  LMPO_CHECK(dx.same_shape(x) && dy.same_shape(x) && has_shape(rstd, {rows}) &&
             has_shape(w, {width}) && has_shape(dw, {width}) && width <= cuda::largest_norm);
  cuda::rmsnorm_backward(stream_, typed(dx), dw.f32(), typed(dy), typed(x), typed(w), rstd.f32(),
                         float_scratch(), rows, width);
  launched("rmsnorm_backward", {&dx, &w});
}

void CudaOps::rotate(Tensor qkv, Tensor cos_sin, Tensor positions, const AttentionShape& shape,
                     float sign) {
  require_compute({&qkv});
  const std::int64_t tokens = qkv.dim(0);
  const std::int64_t heads = shape.query_heads + shape.key_heads;
  const std::int64_t all_heads = heads + shape.key_heads;
  LMPO_CHECK(has_shape(qkv, {tokens, all_heads * shape.head_size}) &&
             has_shape(positions, {tokens}) &&
             has_shape(cos_sin, {cos_sin.dim(0), shape.head_size}) && shape.head_size % 2 == 0);
  cuda::rope(stream_, typed(qkv), cos_sin.f32(), positions.i32(), tokens, heads, all_heads,
             shape.head_size, cos_sin.dim(0), sign);
  launched("rope", {&qkv, &cos_sin});
}

void CudaOps::rope_forward(Tensor qkv, Tensor cos_sin, Tensor positions,
                           const AttentionShape& shape) {
  rotate(qkv, cos_sin, positions, shape, 1.0F);
}

void CudaOps::rope_backward(Tensor dqkv, Tensor cos_sin, Tensor positions,
                            const AttentionShape& shape) {
  rotate(dqkv, cos_sin, positions, shape, -1.0F);
}

void CudaOps::swiglu_forward(Tensor y, Tensor gate_up) {
  require_compute({&y, &gate_up});
  LMPO_CHECK(has_shape(gate_up, {y.dim(0), 2 * y.dim(1)}));
  cuda::swiglu_forward(stream_, typed(y), typed(gate_up), y.dim(0), y.dim(1));
  launched("swiglu_forward", {&gate_up});
}

void CudaOps::swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) {
  require_compute({&dgate_up, &y, &dy, &gate_up});
  LMPO_CHECK(has_shape(gate_up, {dy.dim(0), 2 * dy.dim(1)}) && dgate_up.same_shape(gate_up) &&
             y.same_shape(dy));
  cuda::swiglu_backward(stream_, typed(dgate_up), typed(y), typed(dy), typed(gate_up), dy.dim(0),
                        dy.dim(1));
  launched("swiglu_backward", {&gate_up});
}

}  // namespace lmpo

#include "base/threads.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/elements.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// (x1, x2) turned by the angles of cosine and direction * sine.
LMPO_VECTOR void rotate(float* __restrict x1, float* __restrict x2, const float* __restrict cosine,
                        const float* __restrict sine, float direction, std::int64_t half) {
  for (std::int64_t i = 0; i < half; ++i) {
    const float s = direction * sine[i];
    const float first = x1[i];
    const float second = x2[i];
    x1[i] = first * cosine[i] - second * s;
    x2[i] = second * cosine[i] + first * s;
  }
}

// Turns the heads of Op::qkv or of its gradient.
template <typename Op>
void rotate_heads(Tensor qkv, const Op& op, float direction) {
  const std::int64_t size = op.shape.head_size;
  const std::int64_t heads = op.shape.query_heads + op.shape.key_heads;
  const std::int64_t width = op.shape.qkv_width();
  const std::int64_t tokens = qkv.dim(0);
  const std::int64_t table_rows = op.cos_sin.dim(0);
  const std::int64_t turned = op.cos_sin.dim(1);
  LMPO_CHECK(has_shape(qkv, {tokens, width}) && has_shape(op.positions, {tokens}) &&
             turned <= size && turned % 2 == 0 &&
             (op.query_scale.empty() || has_shape(op.query_scale, {table_rows})));
  parallel_for(tokens, 4096 / width + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int32_t position = op.positions.i32()[row];
      LMPO_CHECK(position >= 0 && position < table_rows);
      const float* cosine = op.cos_sin.f32() + position * turned;
      for (std::int64_t head = 0; head < heads; ++head) {
        float* x = qkv.f32() + row * width + head * size;
        rotate(x, x + turned / 2, cosine, cosine + turned / 2, direction, turned / 2);
      }
      if (!op.query_scale.empty()) {
        float* queries = qkv.f32() + row * width;
        cpu::scale(queries, queries, op.query_scale.f32()[position], op.shape.out_width());
      }
    }
  });
}

}  // namespace

void CpuOps::run(const RopeForward& op) {
  rotate_heads(op.qkv, op, 1.0F);
}

void CpuOps::run(const RopeBackward& op) {
  rotate_heads(op.dqkv, op, -1.0F);
}

}  // namespace lmpo

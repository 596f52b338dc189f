#include "base/threads.h"
#include "ops/cpu/cpu_ops.h"
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

void rotate_heads(Tensor qkv, Tensor cos_sin, Tensor positions, const AttentionShape& shape,
                  float direction) {
  const std::int64_t size = shape.head_size;
  const std::int64_t heads = shape.query_heads + shape.key_heads;
  const std::int64_t width = shape.qkv_width();
  const std::int64_t tokens = qkv.dim(0);
  LMPO_CHECK(has_shape(qkv, {tokens, width}) && has_shape(positions, {tokens}) &&
             has_shape(cos_sin, {cos_sin.dim(0), size}) && size % 2 == 0);
  parallel_for(tokens, 4096 / width + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int32_t position = positions.i32()[row];
      LMPO_CHECK(position >= 0 && position < cos_sin.dim(0));
      const float* cosine = cos_sin.f32() + position * size;
      for (std::int64_t head = 0; head < heads; ++head) {
        float* x = qkv.f32() + row * width + head * size;
        rotate(x, x + size / 2, cosine, cosine + size / 2, direction, size / 2);
      }
    }
  });
}

}  // namespace

void CpuOps::run(const RopeForward& op) {
  rotate_heads(op.qkv, op.cos_sin, op.positions, op.shape, 1.0F);
}

void CpuOps::run(const RopeBackward& op) {
  rotate_heads(op.dqkv, op.cos_sin, op.positions, op.shape, -1.0F);
}

}  // namespace lmpo

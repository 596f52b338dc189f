#include <algorithm>

#include "base/threads.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

LMPO_VECTOR void swiglu_row(float* __restrict y, const float* __restrict gate,
                            const float* __restrict up, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) {
    y[i] = gate[i] * cpu::sigmoid(gate[i]) * up[i];
  }
}

// silu'(g) = s (1 + g (1 - s)) with s = sigmoid(g).
LMPO_VECTOR void swiglu_row_backward(float* __restrict dgate, float* __restrict dup,
                                     float* __restrict y, const float* __restrict dy,
                                     const float* __restrict gate, const float* __restrict up,
                                     std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) {
    const float s = cpu::sigmoid(gate[i]);
    dgate[i] = dy[i] * up[i] * (s * (1.0F + gate[i] * (1.0F - s)));
    dup[i] = dy[i] * (gate[i] * s);
    y[i] = gate[i] * s * up[i];
  }
}

std::int64_t row_grain(std::int64_t width) {
  return 4096 / std::max<std::int64_t>(width, 1) + 1;
}

}  // namespace

void CpuOps::run(const GluForward& op) {
  const std::int64_t width = op.y.dim(1);
  LMPO_CHECK(has_shape(op.gate_up, {op.y.dim(0), 2 * width}));
  parallel_for(op.y.dim(0), row_grain(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* gate = op.gate_up.f32() + row * 2 * width;
      swiglu_row(op.y.f32() + row * width, gate, gate + width, width);
    }
  });
}

void CpuOps::run(const GluBackward& op) {
  const std::int64_t width = op.dy.dim(1);
  LMPO_CHECK(has_shape(op.gate_up, {op.dy.dim(0), 2 * width}) &&
             op.dgate_up.same_shape(op.gate_up) && op.y.same_shape(op.dy));
  parallel_for(op.dy.dim(0), row_grain(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* gate = op.gate_up.f32() + row * 2 * width;
      float* dgate = op.dgate_up.f32() + row * 2 * width;
      swiglu_row_backward(dgate, dgate + width, op.y.f32() + row * width, op.dy.f32() + row * width,
                          gate, gate + width, width);
    }
  });
}

}  // namespace lmpo

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

void CpuOps::swiglu_forward(Tensor y, Tensor gate_up) {
  const std::int64_t width = y.dim(1);
  LMPO_CHECK(has_shape(gate_up, {y.dim(0), 2 * width}));
  parallel_for(y.dim(0), row_grain(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* gate = gate_up.f32() + row * 2 * width;
      swiglu_row(y.f32() + row * width, gate, gate + width, width);
    }
  });
}

void CpuOps::swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) {
  const std::int64_t width = dy.dim(1);
  LMPO_CHECK(has_shape(gate_up, {dy.dim(0), 2 * width}) && dgate_up.same_shape(gate_up) &&
             y.same_shape(dy));
  parallel_for(dy.dim(0), row_grain(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* gate = gate_up.f32() + row * 2 * width;
      float* dgate = dgate_up.f32() + row * 2 * width;
      swiglu_row_backward(dgate, dgate + width, y.f32() + row * width, dy.f32() + row * width, gate,
                          gate + width, width);
    }
  });
}

}  // namespace lmpo

#include <algorithm>

#include "base/threads.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// Every activation is g sigmoid(z(g)); its derivative is s (1 + g (1 - s) z'(g)) with
// s = sigmoid(z). For silu z = g, so that z' = 1 changes no bit.
struct Silu {
  static float z(float gate) { return gate; }
  static float slope(float) { return 1.0F; }
};

// 1 + tanh(u) = 2 sigmoid(2u): z = 2 sqrt(2/pi) (g + 0.044715 g^3).
struct GeluTanh {
  static constexpr float kFactor = 1.59576912F;
  static constexpr float kCubic = 0.044715F;

  static float z(float gate) { return kFactor * (gate + kCubic * gate * gate * gate); }
  static float slope(float gate) { return kFactor * (1.0F + 3.0F * kCubic * gate * gate); }
};

// A row of the gate, or of its gradient: [width] of the gate, then of up.
template <typename Function>
[[gnu::always_inline]] inline void glu_forward(float* __restrict y, const float* __restrict gate,
                                               const float* __restrict up, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) {
    y[i] = gate[i] * cpu::sigmoid(Function::z(gate[i])) * up[i];
  }
}

template <typename Function>
[[gnu::always_inline]] inline void glu_backward(float* __restrict dgate, float* __restrict dup,
                                                float* __restrict y, const float* __restrict dy,
                                                const float* __restrict gate,
                                                const float* __restrict up, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) {
    const float s = cpu::sigmoid(Function::z(gate[i]));
    dgate[i] = dy[i] * up[i] * (s * (1.0F + gate[i] * (1.0F - s) * Function::slope(gate[i])));
    dup[i] = dy[i] * (gate[i] * s);
    y[i] = gate[i] * s * up[i];
  }
}

LMPO_VECTOR void silu_row(float* y, const float* gate, std::int64_t width) {
  glu_forward<Silu>(y, gate, gate + width, width);
}
LMPO_VECTOR void gelu_row(float* y, const float* gate, std::int64_t width) {
  glu_forward<GeluTanh>(y, gate, gate + width, width);
}
LMPO_VECTOR void silu_row_backward(float* dgate, float* y, const float* dy, const float* gate,
                                   std::int64_t width) {
  glu_backward<Silu>(dgate, dgate + width, y, dy, gate, gate + width, width);
}
LMPO_VECTOR void gelu_row_backward(float* dgate, float* y, const float* dy, const float* gate,
                                   std::int64_t width) {
  glu_backward<GeluTanh>(dgate, dgate + width, y, dy, gate, gate + width, width);
}

// body(row) for all rows of this width.
template <typename Body>
void for_glu_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  const std::int64_t grain = 4096 / std::max<std::int64_t>(width, 1) + 1;
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      body(row);
    }
  });
}

}  // namespace

void CpuOps::run(const GluForward& op) {
  const std::int64_t width = op.y.dim(1);
  LMPO_CHECK(has_shape(op.gate_up, {op.y.dim(0), 2 * width}));
  const auto compute = op.activation == Activation::silu ? silu_row : gelu_row;
  for_glu_rows(op.y.dim(0), width, [&](std::int64_t row) {
    compute(op.y.f32() + row * width, op.gate_up.f32() + row * 2 * width, width);
  });
}

void CpuOps::run(const GluBackward& op) {
  const std::int64_t width = op.dy.dim(1);
  LMPO_CHECK(has_shape(op.gate_up, {op.dy.dim(0), 2 * width}) &&
             op.dgate_up.same_shape(op.gate_up) && op.y.same_shape(op.dy));
  const auto compute = op.activation == Activation::silu ? silu_row_backward : gelu_row_backward;
  for_glu_rows(op.dy.dim(0), width, [&](std::int64_t row) {
    compute(op.dgate_up.f32() + row * 2 * width, op.y.f32() + row * width,
            op.dy.f32() + row * width, op.gate_up.f32() + row * 2 * width, width);
  });
}

}  // namespace lmpo

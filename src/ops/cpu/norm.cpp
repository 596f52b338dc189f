#include <algorithm>
#include <array>
#include <cmath>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// Columns that are handled at a time, so that a weight of any storage is widened on the stack.
constexpr std::int64_t kTile = 256;
using Columns = std::array<float, kTile>;

LMPO_VECTOR float sum_of_products(const float* a, const float* b, std::int64_t count) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

LMPO_VECTOR float sum_of_three(const float* a, const float* b, const float* c, std::int64_t count) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += a[i] * b[i] * c[i];
  }
  return sum;
}

LMPO_VECTOR void normalise(float* __restrict y, const float* __restrict x,
                           const float* __restrict w, float rstd, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = x[i] * rstd * w[i];
  }
}

// dx += rstd (w dy - x projection).
LMPO_VECTOR void input_gradient(float* __restrict dx, const float* __restrict dy,
                                const float* __restrict x, const float* __restrict w, float rstd,
                                float projection, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] += rstd * (w[i] * dy[i] - x[i] * projection);
  }
}

// sums += dy x rstd.
LMPO_VECTOR void weight_gradient(float* __restrict sums, const float* __restrict dy,
                                 const float* __restrict x, float rstd, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    sums[i] += dy[i] * (x[i] * rstd);
  }
}

// out = offset + w; either may be the other.
LMPO_VECTOR void add_offset(float* out, const float* w, float offset, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = offset + w[i];
  }
}

struct Weights {
  Tensor w;
  float offset;

  // body(column, count, offset + w of these columns).
  template <typename Body>
  void for_tiles(const Body& body) const {
    Columns buffer;
    for (std::int64_t column = 0; column < w.dim(0); column += kTile) {
      const std::int64_t count = std::min(kTile, w.dim(0) - column);
      const float* weights = cpu::as_f32(w, column, count, buffer.data());
      if (offset != 0.0F) {
        add_offset(buffer.data(), weights, offset, count);
        weights = buffer.data();
      }
      body(column, count, weights);
    }
  }
};

void forward_row(float* y, float& rstd, const float* x, const Weights& w, std::int64_t width,
                 float eps) {
  const float mean = sum_of_products(x, x, width) / static_cast<float>(width);
  rstd = 1.0F / std::sqrt(mean + eps);
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    normalise(y + column, x + column, weights, rstd, count);
  });
}

// With y = x rstd w:  dx += rstd (w dy - x rstd^2 mean(w dy x)).
void backward_row(float* dx, const float* dy, const float* x, const Weights& w, std::int64_t width,
                  float rstd) {
  float sum = 0.0F;
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    sum += sum_of_three(dy + column, x + column, weights, count);
  });
  const float projection = rstd * rstd * sum / static_cast<float>(width);
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    input_gradient(dx + column, dy + column, x + column, weights, rstd, projection, count);
  });
}

}  // namespace

void CpuOps::run(const RmsNormForward& op) {
  const std::int64_t rows = op.x.dim(0);
  const std::int64_t width = op.x.dim(1);
  LMPO_CHECK(op.y.same_shape(op.x) && has_shape(op.rstd, {rows}) && has_shape(op.w, {width}));
  parallel_for(rows, 4096 / width + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      forward_row(op.y.f32() + row * width, op.rstd.f32()[row], op.x.f32() + row * width,
                  {op.w, op.offset}, width, op.eps);
    }
  });
}

void CpuOps::run(const RmsNormBackward& op) {
  const std::int64_t rows = op.x.dim(0);
  const std::int64_t width = op.x.dim(1);
  LMPO_CHECK(op.dx.same_shape(op.x) && op.dy.same_shape(op.x) && has_shape(op.rstd, {rows}) &&
             has_shape(op.w, {width}) && (op.dw.empty() || has_shape(op.dw, {width})));
  parallel_for(rows, 4096 / width + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t place = row * width;
      backward_row(op.dx.f32() + place, op.dy.f32() + place, op.x.f32() + place, {op.w, op.offset},
                   width, op.rstd.f32()[row]);
    }
  });
  if (op.dw.empty()) {
    return;
  }
  // Every column's sum goes over all rows in order, whoever computes it.
  const std::int64_t tiles = (width + kTile - 1) / kTile;
  parallel_each(tiles, [&](std::int64_t index) {
    const std::int64_t column = index * kTile;
    const std::int64_t count = std::min(kTile, width - column);
    Columns sums{};
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t place = row * width + column;
      weight_gradient(sums.data(), op.dy.f32() + place, op.x.f32() + place, op.rstd.f32()[row],
                      count);
    }
    for (std::int64_t i = 0; i < count; ++i) {
      op.dw.f32()[column + i] += sums[static_cast<std::size_t>(i)];
    }
  });
}

}  // namespace lmpo

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

// y = x rstd w; y may be x, here and below.
LMPO_VECTOR void normalise(float* y, const float* x, const float* w, float rstd,
                           std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = x[i] * rstd * w[i];
  }
}

LMPO_VECTOR void add_normalised(float* y, const float* x, const float* w, float rstd,
                                std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] += x[i] * rstd * w[i];
  }
}

// dx = rstd (w dy - x projection); dx may be dy.
LMPO_VECTOR void input_gradient(float* dx, const float* dy, const float* x, const float* w,
                                float rstd, float projection, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] = rstd * (w[i] * dy[i] - x[i] * projection);
  }
}

LMPO_VECTOR void add_input_gradient(float* dx, const float* dy, const float* x, const float* w,
                                    float rstd, float projection, std::int64_t count) {
#pragma omp simd
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

// Where the vectors of D columns lie that are normalized each by itself, G of them in a row of
// x[T,G*D]. Rows may be apart.
struct Vectors {
  std::int64_t rows;
  std::int64_t groups;
  std::int64_t width;

  Vectors(Tensor x, Tensor w) : rows(x.dim(0)), groups(x.dim(1) / w.dim(0)), width(w.dim(0)) {
    LMPO_CHECK(has_shape(x, {rows, groups * width}) && has_shape(w, {width}));
  }

  // Of one tensor.
  struct Of {
    float* data;
    std::int64_t stride;
    std::int64_t width;

    float* at(std::int64_t row, std::int64_t group) const {
      return data + row * stride + group * width;
    }
  };
  Of of(Tensor x) const { return {cpu::strided_f32(x), x.row_stride(), width}; }

  // body(row, group) for those of some rows.
  template <typename Body>
  void for_rows(std::int64_t begin, std::int64_t end, const Body& body) const {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t group = 0; group < groups; ++group) {
        body(row, group);
      }
    }
  }
  // For all of them, by all threads.
  template <typename Body>
  void for_all(const Body& body) const {
    parallel_for(rows, 4096 / (groups * width) + 1,
                 [&](std::int64_t begin, std::int64_t end) { for_rows(begin, end, body); });
  }
};

void forward_vector(float* y, float& rstd, const float* x, const Weights& w,
                    const RmsNormForward& op) {
  const std::int64_t width = w.w.dim(0);
  const float mean = sum_of_products(x, x, width) / static_cast<float>(width);
  rstd = 1.0F / std::sqrt(mean + op.eps);
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    (op.accumulate ? add_normalised : normalise)(y + column, x + column, weights, rstd, count);
  });
}

// With y = x rstd w:  dx = rstd (w dy - x rstd^2 mean(w dy x)).
void backward_vector(float* dx, const float* dy, const float* x, float rstd, const Weights& w,
                     bool accumulate) {
  float sum = 0.0F;
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    sum += sum_of_three(dy + column, x + column, weights, count);
  });
  const float projection = rstd * rstd * sum / static_cast<float>(w.w.dim(0));
  w.for_tiles([&](std::int64_t column, std::int64_t count, const float* weights) {
    (accumulate ? add_input_gradient : input_gradient)(dx + column, dy + column, x + column,
                                                       weights, rstd, projection, count);
  });
}

// Every column's sum goes over all vectors in order, whoever computes it.
void add_weight_gradient(const RmsNormBackward& op, const Vectors& vectors) {
  // A multiple of a cache line's floats, narrower where threads would be idle.
  constexpr std::int64_t kLine = 16;
  const std::int64_t share = (vectors.width + threads() - 1) / threads();
  const std::int64_t tile = std::min(kTile, (share + kLine - 1) / kLine * kLine);
  const Vectors::Of dy = vectors.of(op.dy);
  const Vectors::Of x = vectors.of(op.x);
  parallel_each((vectors.width + tile - 1) / tile, [&](std::int64_t index) {
    const std::int64_t column = index * tile;
    const std::int64_t count = std::min(tile, vectors.width - column);
    Columns sums{};
    const float* rstd = op.rstd.f32();
    vectors.for_rows(0, vectors.rows, [&](std::int64_t row, std::int64_t group) {
      weight_gradient(sums.data(), dy.at(row, group) + column, x.at(row, group) + column, *rstd++,
                      count);
    });
    for (std::int64_t i = 0; i < count; ++i) {
      op.dw.f32()[column + i] += sums[static_cast<std::size_t>(i)];
    }
  });
}

}  // namespace

void CpuOps::run(const RmsNormForward& op) {
  const Vectors vectors(op.x, op.w);
  LMPO_CHECK(op.y.same_shape(op.x) && op.rstd.elements() == vectors.rows * vectors.groups);
  const Weights weights{op.w, op.offset};
  const Vectors::Of y = vectors.of(op.y);
  const Vectors::Of x = vectors.of(op.x);
  vectors.for_all([&](std::int64_t row, std::int64_t group) {
    forward_vector(y.at(row, group), op.rstd.f32()[row * vectors.groups + group], x.at(row, group),
                   weights, op);
  });
}

void CpuOps::run(const RmsNormBackward& op) {
  const Vectors vectors(op.x, op.w);
  LMPO_CHECK(op.dx.same_shape(op.x) && op.dy.same_shape(op.x) &&
             op.rstd.elements() == vectors.rows * vectors.groups &&
             (op.dw.empty() || has_shape(op.dw, {vectors.width})));
  if (!op.dw.empty()) {
    add_weight_gradient(op, vectors);  // first: dx may overwrite dy
  }
  const Weights weights{op.w, op.offset};
  const Vectors::Of dx = vectors.of(op.dx);
  const Vectors::Of dy = vectors.of(op.dy);
  const Vectors::Of x = vectors.of(op.x);
  vectors.for_all([&](std::int64_t row, std::int64_t group) {
    backward_vector(dx.at(row, group), dy.at(row, group), x.at(row, group),
                    op.rstd.f32()[row * vectors.groups + group], weights, op.accumulate);
  });
}

}  // namespace lmpo

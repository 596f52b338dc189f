// RMSNorm: a block for each row, whose threads keep what they have read of it. Backward goes
// through groups of rows, so that a block's share of the weight's gradient stays in registers; the
// shares are then added in the order of the groups.
#include <type_traits>

#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kStride = kThreads * kEight;
constexpr int kMostPieces = 4;  // of eight columns, that a thread keeps

// Columns of a row in the hands of one thread: pieces that lie kStride apart.
template <int pieces>
struct RowPieces {
  float x[pieces][kEight];

  template <typename T>
  __device__ void load(const T* row, std::int64_t width, bool aligned) {
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      const std::int64_t i = p * kStride + threadIdx.x * kEight;
      load_eight(x[p], row + i, aligned, width - i);
    }
  }
  template <typename T>
  __device__ void store(T* row, std::int64_t width, bool aligned) const {
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      const std::int64_t i = p * kStride + threadIdx.x * kEight;
      store_eight(row + i, x[p], aligned, width - i);
    }
  }
  // Offset 0 changes no bit.
  __device__ void add(float offset) {
    if (offset != 0.0F) {
      for_all([&](int p, int e) { x[p][e] = offset + x[p][e]; });
    }
  }
  // body(p, e) for all of them.
  template <typename Body>
  static __device__ void for_all(const Body& body) {
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
#pragma unroll
      for (int e = 0; e < kEight; ++e) {
        body(p, e);
      }
    }
  }
};

template <int pieces, typename T, typename W>
__global__ void forward_kernel(T* y, float* rstd, const T* x, const W* w, float eps, float offset,
                               std::int64_t width, bool aligned) {
  const std::int64_t place = blockIdx.x * width;
  RowPieces<pieces> row;
  RowPieces<pieces> weights;
  row.load(x + place, width, aligned);
  weights.load(w, width, aligned);
  weights.add(offset);
  float sum = 0.0F;
  row.for_all([&](int p, int e) { sum += row.x[p][e] * row.x[p][e]; });
  const float factor = 1.0F / sqrtf(block_sum(sum) / static_cast<float>(width) + eps);
  if (threadIdx.x == 0) {
    rstd[blockIdx.x] = factor;
  }
  row.for_all([&](int p, int e) { row.x[p][e] = row.x[p][e] * factor * weights.x[p][e]; });
  row.store(y + place, width, aligned);
}

// With y = x rstd w:  dx += rstd (w dy - x rstd^2 mean(w dy x)), and the group's part of dw, the
// sum of dy x rstd.
template <int pieces, typename T, typename W>
__global__ void __launch_bounds__(kThreads, pieces <= 2 ? 3 : 1)
    backward_kernel(T* dx, float* partial, const T* dy, const T* x, const W* w, const float* rstd,
                    float offset, std::int64_t rows, std::int64_t width, bool aligned) {
  RowPieces<pieces> dw = {};
  const std::int64_t last = rows * (blockIdx.x + 1) / gridDim.x;
  for (std::int64_t row = rows * blockIdx.x / gridDim.x; row < last; ++row) {
    const std::int64_t place = row * width;
    RowPieces<pieces> dys;
    RowPieces<pieces> xs;
    RowPieces<pieces> weights;
    dys.load(dy + place, width, aligned);
    xs.load(x + place, width, aligned);
    weights.load(w, width, aligned);
    weights.add(offset);
    const float factor = rstd[row];
    float sum = 0.0F;
    dys.for_all([&](int p, int e) {
      dw.x[p][e] += dys.x[p][e] * (xs.x[p][e] * factor);
      dys.x[p][e] *= weights.x[p][e];
      sum += dys.x[p][e] * xs.x[p][e];
    });
    RowPieces<pieces> out;
    out.load(dx + place, width, aligned);
    const float projection = factor * factor * block_sum(sum) / static_cast<float>(width);
    dys.for_all(
        [&](int p, int e) { out.x[p][e] += factor * (dys.x[p][e] - xs.x[p][e] * projection); });
    out.store(dx + place, width, aligned);
  }
  dw.store(partial + blockIdx.x * width, width, aligned);
}

// body(integral constant) with the pieces that a thread has of rows of this width.
template <typename Body>
void with_pieces(std::int64_t width, const Body& body) {
  if (width <= kStride) {
    body(std::integral_constant<int, 1>());
  } else if (width <= 2 * kStride) {
    body(std::integral_constant<int, 2>());
  } else {
    body(std::integral_constant<int, kMostPieces>());
  }
}
static_assert(kLargestNorm == kMostPieces * kStride);

}  // namespace

void rmsnorm_forward(cudaStream_t stream, Typed y, float* rstd, Typed x, Typed w, float eps,
                     float offset, std::int64_t rows, std::int64_t width) {
  const bool aligned = rows_aligned(width, y.data, x.data, w.data);
  with_compute(x.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      with_pieces(width, [&](auto pieces) {
        using T = typename decltype(tag)::type;
        using W = typename decltype(w_tag)::type;
        launch_kernel(forward_kernel<pieces.value, T, W>, {static_cast<unsigned>(rows), kThreads},
                      stream, as<T>(y), rstd, as<T>(x), as<W>(w), eps, offset, width, aligned);
      });
    });
  });
}

void rmsnorm_backward(cudaStream_t stream, Typed dx, float* dw, Typed dy, Typed x, Typed w,
                      const float* rstd, float offset, float* partial, std::int64_t rows,
                      std::int64_t width) {
  const bool aligned = rows_aligned(width, dx.data, dy.data, x.data, w.data);
  const std::int64_t groups = row_groups(rows, width);
  with_compute(x.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      with_pieces(width, [&](auto pieces) {
        using T = typename decltype(tag)::type;
        using W = typename decltype(w_tag)::type;
        launch_kernel(backward_kernel<pieces.value, T, W>,
                      {static_cast<unsigned>(groups), kThreads}, stream, as<T>(dx), partial,
                      as<T>(dy), as<T>(x), as<W>(w), rstd, offset, rows, width, aligned);
      });
    });
  });
  if (dw != nullptr) {
    add_groups(stream, dw, partial, groups, width);
  }
}

}  // namespace lmpo::cuda

// Biases, and sums over rows: groups of rows are summed apart, then the groups in order.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;

// Eight columns a thread, one row a block row.
template <typename T, typename B>
__global__ void bias_forward_kernel(T* y, const B* b, std::int64_t rows, std::int64_t width,
                                    bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= width) {
    return;
  }
  float bias[kEight];
  load_eight(bias, b + i, aligned, width - i);
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    float x[kEight];
    load_eight(x, y + row * width + i, aligned, width - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      x[e] += bias[e];
    }
    store_eight(y + row * width + i, x, aligned, width - i);
  }
}

// Grid: columns, eight a thread, x groups of rows.
template <typename T>
__global__ void sum_groups_kernel(float* partial, const T* dy, std::int64_t rows,
                                  std::int64_t width, bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= width) {
    return;
  }
  float sums[kEight] = {};
  const std::int64_t last = rows * (blockIdx.y + 1) / gridDim.y;
  for (std::int64_t row = rows * blockIdx.y / gridDim.y; row < last; ++row) {
    float x[kEight];
    load_eight(x, dy + row * width + i, aligned, width - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      sums[e] += x[e];
    }
  }
  store_eight(partial + blockIdx.y * width + i, sums, aligned, width - i);
}

// Threads of a block: 32 columns wide, 8 shares of the groups deep.
__global__ void add_groups_kernel(float* dw, const float* partial, std::int64_t groups,
                                  std::int64_t width) {
  constexpr int kShares = kThreads / 32;
  __shared__ float sums[kShares][32];
  const int share = threadIdx.x / 32;
  const int lane = threadIdx.x % 32;
  const std::int64_t column = std::int64_t{blockIdx.x} * 32 + lane;
  float sum = 0.0F;
  for (std::int64_t group = share; group < groups && column < width; group += kShares) {
    sum += partial[group * width + column];
  }
  sums[share][lane] = sum;
  __syncthreads();
  if (share == 0 && column < width) {
    for (int other = 1; other < kShares; ++other) {
      sum += sums[other][lane];
    }
    dw[column] += sum;
  }
}

}  // namespace

void bias_forward(cudaStream_t stream, Typed y, Typed b, std::int64_t rows, std::int64_t width) {
  const bool aligned = rows_aligned(width, y.data, b.data);
  const dim3 grid(blocks_for(width, kThreads * kEight),
                  static_cast<unsigned>(std::min<std::int64_t>(rows, 4096)));
  with_compute(y.dtype, [&](auto tag) {
    with_storage(b.dtype, [&](auto b_tag) {
      using T = typename decltype(tag)::type;
      using B = typename decltype(b_tag)::type;
      launch_kernel(bias_forward_kernel<T, B>, {grid, kThreads}, stream, as<T>(y), as<B>(b), rows,
                    width, aligned);
    });
  });
}

void bias_backward(cudaStream_t stream, float* db, Typed dy, float* partial, std::int64_t rows,
                   std::int64_t width) {
  const bool aligned = rows_aligned(width, dy.data, partial);
  const std::int64_t groups = row_groups(rows, width);
  const dim3 grid(blocks_for(width, kThreads * kEight), static_cast<unsigned>(groups));
  with_compute(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(sum_groups_kernel<T>, {grid, kThreads}, stream, partial, as<T>(dy), rows, width,
                  aligned);
  });
  add_groups(stream, db, partial, groups, width);
}

void add_groups(cudaStream_t stream, float* sums, const float* partial, std::int64_t groups,
                std::int64_t width) {
  launch_kernel(add_groups_kernel, {blocks_for(width, 32), kThreads}, stream, sums, partial, groups,
                width);
}

}  // namespace lmpo::cuda

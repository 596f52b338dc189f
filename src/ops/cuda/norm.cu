// RMSNorm. Forward and the input's gradient: a block for each row. The weight's gradient: sums over
// groups of rows, then over the groups in order.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kStride = kThreads * kEight;

template <typename T, typename W>
__global__ void forward_kernel(T* y, float* rstd, const T* x, const W* w, float eps,
                               std::int64_t width, bool aligned) {
  const T* row = x + blockIdx.x * width;
  float sum = 0.0F;
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kStride) {
    float values[kEight];
    load_eight(values, row + i, aligned, width - i);
#pragma unroll
    for (const float value : values) {
      sum += value * value;
    }
  }
  const float factor = 1.0F / sqrtf(block_sum(sum) / static_cast<float>(width) + eps);
  if (threadIdx.x == 0) {
    rstd[blockIdx.x] = factor;
  }
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kStride) {
    float values[kEight];
    float weights[kEight];
    load_eight(values, row + i, aligned, width - i);
    load_eight(weights, w + i, aligned, width - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      values[e] = values[e] * factor * weights[e];
    }
    store_eight(y + blockIdx.x * width + i, values, aligned, width - i);
  }
}

// With y = x rstd w:  dx += rstd (w dy - x rstd^2 mean(w dy x)).
template <typename T, typename W>
__global__ void input_kernel(T* dx, const T* dy, const T* x, const W* w, const float* rstd,
                             std::int64_t width, bool aligned) {
  const std::int64_t offset = blockIdx.x * width;
  float sum = 0.0F;
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kStride) {
    float dys[kEight];
    float xs[kEight];
    float ws[kEight];
    load_eight(dys, dy + offset + i, aligned, width - i);
    load_eight(xs, x + offset + i, aligned, width - i);
    load_eight(ws, w + i, aligned, width - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      sum += dys[e] * xs[e] * ws[e];
    }
  }
  const float factor = rstd[blockIdx.x];
  const float projection = factor * factor * block_sum(sum) / static_cast<float>(width);
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kStride) {
    float dys[kEight];
    float xs[kEight];
    float ws[kEight];
    float out[kEight];
    load_eight(dys, dy + offset + i, aligned, width - i);
    load_eight(xs, x + offset + i, aligned, width - i);
    load_eight(ws, w + i, aligned, width - i);
    load_eight(out, dx + offset + i, aligned, width - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      out[e] += factor * (ws[e] * dys[e] - xs[e] * projection);
    }
    store_eight(dx + offset + i, out, aligned, width - i);
  }
}

// partial[group, column] = sum over the group's rows of dy x rstd.
template <typename T>
__global__ void weight_kernel(float* partial, const T* dy, const T* x, const float* rstd,
                              std::int64_t rows, std::int64_t width, bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= width) {
    return;
  }
  const std::int64_t first = rows * blockIdx.y / gridDim.y;
  const std::int64_t last = rows * (blockIdx.y + 1) / gridDim.y;
  float sums[kEight] = {};
  for (std::int64_t row = first; row < last; ++row) {
    float dys[kEight];
    float xs[kEight];
    load_eight(dys, dy + row * width + i, aligned, width - i);
    load_eight(xs, x + row * width + i, aligned, width - i);
    const float factor = rstd[row];
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      sums[e] += dys[e] * (xs[e] * factor);
    }
  }
  store_eight(partial + blockIdx.y * width + i, sums, aligned, width - i);
}

__global__ void add_groups_kernel(float* dw, const float* partial, std::int64_t groups,
                                  std::int64_t width) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < width) {
    float sum = 0.0F;
    for (std::int64_t group = 0; group < groups; ++group) {
      sum += partial[group * width + i];
    }
    dw[i] += sum;
  }
}

}  // namespace

void rmsnorm_forward(cudaStream_t stream, Typed y, float* rstd, Typed x, Typed w, float eps,
                     std::int64_t rows, std::int64_t width) {
  const bool aligned = rows_aligned(width, y.data, x.data, w.data);
  with_compute(x.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      using T = typename decltype(tag)::type;
      using W = typename decltype(w_tag)::type;
      forward_kernel<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(
          as<T>(y), rstd, as<T>(x), as<W>(w), eps, width, aligned);
    });
  });
}

void rmsnorm_backward(cudaStream_t stream, Typed dx, float* dw, Typed dy, Typed x, Typed w,
                      const float* rstd, float* partial, std::int64_t rows, std::int64_t width) {
  const bool aligned = rows_aligned(width, dx.data, dy.data, x.data, w.data);
  const std::int64_t groups = norm_groups(rows, width);
  with_compute(x.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    with_storage(w.dtype, [&](auto w_tag) {
      using W = typename decltype(w_tag)::type;
      input_kernel<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(
          as<T>(dx), as<T>(dy), as<T>(x), as<W>(w), rstd, width, aligned);
    });
    const dim3 grid(blocks_for(width, kStride), static_cast<unsigned>(groups));
    weight_kernel<<<grid, kThreads, 0, stream>>>(partial, as<T>(dy), as<T>(x), rstd, rows, width,
                                                 aligned);
  });
  add_groups_kernel<<<blocks_for(width, kThreads), kThreads, 0, stream>>>(dw, partial, groups,
                                                                          width);
}

}  // namespace lmpo::cuda

// Rotary positions and SwiGLU.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;

// Eight pairs (x1, x2) of a head's halves a thread, in place.
template <typename T>
__global__ void rope_kernel(T* qkv, const float* cos_sin, const std::int32_t* positions,
                            std::int64_t items, std::int64_t heads, std::int64_t all_heads,
                            std::int64_t half, std::int64_t pieces, std::int64_t table_rows,
                            float sign, bool aligned) {
  const std::int64_t item = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (item >= items) {
    return;
  }
  const std::int64_t i = item % pieces * kEight;
  const std::int64_t head = item / pieces % heads;
  const std::int64_t token = item / pieces / heads;
  const std::int64_t position = positions[token];
  T* first = qkv + (token * all_heads + head) * 2 * half + i;
  T* second = first + half;
  const std::int64_t count = half - i;
  float x1[kEight];
  float x2[kEight];
  float c[kEight];
  float s[kEight];
  load_eight(x1, first, aligned, count);
  load_eight(x2, second, aligned, count);
  if (position >= 0 && position < table_rows) {
    load_eight(c, cos_sin + position * 2 * half + i, aligned, count);
    load_eight(s, cos_sin + position * 2 * half + half + i, aligned, count);
  } else {
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      c[e] = s[e] = NAN;
    }
  }
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    const float turned = x1[e] * c[e] - sign * x2[e] * s[e];
    x2[e] = x2[e] * c[e] + sign * x1[e] * s[e];
    x1[e] = turned;
  }
  store_eight(first, x1, aligned, count);
  store_eight(second, x2, aligned, count);
}

__device__ inline float sigmoid(float x) {
  return 1.0F / (1.0F + __expf(-x));
}

// A block row for each row of the tensor, eight columns a thread.
template <typename T>
__global__ void swiglu_forward_kernel(T* y, const T* gate_up, std::int64_t width, bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= width) {
    return;
  }
  const T* gate = gate_up + std::int64_t{blockIdx.y} * 2 * width + i;
  float g[kEight];
  float u[kEight];
  load_eight(g, gate, aligned, width - i);
  load_eight(u, gate + width, aligned, width - i);
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    u[e] *= g[e] * sigmoid(g[e]);
  }
  store_eight(y + std::int64_t{blockIdx.y} * width + i, u, aligned, width - i);
}

template <typename T>
__global__ void swiglu_backward_kernel(T* dgate_up, T* y, const T* dy, const T* gate_up,
                                       std::int64_t width, bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= width) {
    return;
  }
  const std::int64_t offset = std::int64_t{blockIdx.y} * 2 * width + i;
  float g[kEight];
  float u[kEight];
  float d[kEight];
  load_eight(g, gate_up + offset, aligned, width - i);
  load_eight(u, gate_up + offset + width, aligned, width - i);
  load_eight(d, dy + std::int64_t{blockIdx.y} * width + i, aligned, width - i);
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    const float s = sigmoid(g[e]);
    const float silu = g[e] * s;
    const float dup = d[e] * silu;
    g[e] = d[e] * u[e] * (s + silu * (1.0F - s));
    d[e] = u[e] * silu;
    u[e] = dup;
  }
  store_eight(y + std::int64_t{blockIdx.y} * width + i, d, aligned, width - i);
  store_eight(dgate_up + offset, g, aligned, width - i);
  store_eight(dgate_up + offset + width, u, aligned, width - i);
}

// body(first row, grid) for launches of at most 65,535 rows.
template <typename Body>
void for_row_grids(std::int64_t rows, std::int64_t width, const Body& body) {
  constexpr std::int64_t kMost = 65535;
  for (std::int64_t first = 0; first < rows; first += kMost) {
    body(first, dim3(blocks_for(width, kThreads * kEight),
                     static_cast<unsigned>(std::min(kMost, rows - first))));
  }
}

}  // namespace

void rope(cudaStream_t stream, Typed qkv, const float* cos_sin, const std::int32_t* positions,
          std::int64_t tokens, std::int64_t heads, std::int64_t all_heads, std::int64_t head_size,
          std::int64_t table_rows, float sign) {
  const std::int64_t half = head_size / 2;
  const std::int64_t pieces = (half + kEight - 1) / kEight;
  const std::int64_t items = tokens * heads * pieces;
  const bool aligned = rows_aligned(half, qkv.data, cos_sin);
  with_compute(qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(rope_kernel<T>, {blocks_for(items, kThreads), kThreads}, stream, as<T>(qkv),
                  cos_sin, positions, items, heads, all_heads, half, pieces, table_rows, sign,
                  aligned);
  });
}

void swiglu_forward(cudaStream_t stream, Typed y, Typed gate_up, std::int64_t rows,
                    std::int64_t width) {
  const bool aligned = rows_aligned(width, y.data, gate_up.data);
  with_compute(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_row_grids(rows, width, [&](std::int64_t first, dim3 grid) {
      launch_kernel(swiglu_forward_kernel<T>, {grid, kThreads}, stream, as<T>(y) + first * width,
                    as<T>(gate_up) + first * 2 * width, width, aligned);
    });
  });
}

void swiglu_backward(cudaStream_t stream, Typed dgate_up, Typed y, Typed dy, Typed gate_up,
                     std::int64_t rows, std::int64_t width) {
  const bool aligned = rows_aligned(width, dgate_up.data, y.data, dy.data, gate_up.data);
  with_compute(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for_row_grids(rows, width, [&](std::int64_t first, dim3 grid) {
      launch_kernel(swiglu_backward_kernel<T>, {grid, kThreads}, stream,
                    as<T>(dgate_up) + first * 2 * width, as<T>(y) + first * width,
                    as<T>(dy) + first * width, as<T>(gate_up) + first * 2 * width, width, aligned);
    });
  });
}

}  // namespace lmpo::cuda

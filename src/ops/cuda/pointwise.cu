// Rotary positions and gated linear units.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;

// Eight pairs (x1, x2) of a head's halves a thread, in place.
template <typename T>
__global__ void rope_kernel(T* qkv, const float* cos_sin, const std::int32_t* positions,
                            RopeShape shape, std::int64_t items, std::int64_t pieces, float sign,
                            bool aligned) {
  const std::int64_t item = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (item >= items) {
    return;
  }
  const std::int64_t half = shape.turned / 2;
  const std::int64_t heads = shape.query_heads + shape.key_heads;
  const std::int64_t all_heads = heads + shape.key_heads;
  const std::int64_t i = item % pieces * kEight;
  const std::int64_t head = item / pieces % heads;
  const std::int64_t token = item / pieces / heads;
  const std::int64_t position = positions[token];
  T* first = qkv + (token * all_heads + head) * shape.head_size + i;
  T* second = first + half;
  const std::int64_t count = half - i;
  float x1[kEight];
  float x2[kEight];
  float c[kEight];
  float s[kEight];
  load_eight(x1, first, aligned, count);
  load_eight(x2, second, aligned, count);
  if (position >= 0 && position < shape.table_rows) {
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

// A block for each token, whose threads take eight columns at a time.
template <typename T>
__global__ void scale_queries_kernel(T* qkv, const float* scale, const std::int32_t* positions,
                                     RopeShape shape, bool aligned) {
  const std::int64_t token = blockIdx.x;
  const std::int64_t position = positions[token];
  const bool inside = position >= 0 && position < shape.table_rows;
  const float factor = inside ? scale[position] : NAN;
  const std::int64_t width = shape.query_heads * shape.head_size;
  T* const row = qkv + token * (width + 2 * shape.key_heads * shape.head_size);
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kThreads * kEight) {
    float x[kEight];
    load_eight(x, row + i, aligned, width - i);
#pragma unroll
    for (float& value : x) {
      value *= factor;
    }
    store_eight(row + i, x, aligned, width - i);
  }
}

__device__ inline float sigmoid(float x) {
  return 1.0F / (1.0F + __expf(-x));
}

// Activations are g sigmoid(z(g)); their derivative is s + g s (1 - s) z'(g) with s = sigmoid(z).
struct Silu {
  static __device__ float z(float gate) { return gate; }
  static __device__ float slope(float) { return 1.0F; }
};

// 1 + tanh(u) = 2 sigmoid(2u): z = 2 sqrt(2/pi) (g + 0.044715 g^3).
struct GeluTanh {
  static constexpr float kFactor = 1.59576912F;
  static constexpr float kCubic = 0.044715F;

  static __device__ float z(float gate) { return kFactor * (gate + kCubic * gate * gate * gate); }
  static __device__ float slope(float gate) {
    return kFactor * (1.0F + 3.0F * kCubic * gate * gate);
  }
};

// A block row for each row of the tensor, eight columns a thread.
template <typename Function, typename T>
__global__ void glu_forward_kernel(T* y, const T* gate_up, std::int64_t width, bool aligned) {
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
    u[e] *= g[e] * sigmoid(Function::z(g[e]));
  }
  store_eight(y + std::int64_t{blockIdx.y} * width + i, u, aligned, width - i);
}

template <typename Function, typename T>
__global__ void glu_backward_kernel(T* dgate_up, T* y, const T* dy, const T* gate_up,
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
    const float s = sigmoid(Function::z(g[e]));
    const float active = g[e] * s;
    const float dup = d[e] * active;
    g[e] = d[e] * u[e] * (s + active * (1.0F - s) * Function::slope(g[e]));
    d[e] = u[e] * active;
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

// body(the activation's tag).
template <typename Body>
void with_activation(bool is_gelu, const Body& body) {
  if (is_gelu) {
    body(TypeTag<GeluTanh>());
  } else {
    body(TypeTag<Silu>());
  }
}

}  // namespace

void rope(cudaStream_t stream, Typed qkv, const float* cos_sin, const std::int32_t* positions,
          const RopeShape& shape, float sign) {
  const std::int64_t half = shape.turned / 2;
  const std::int64_t pieces = (half + kEight - 1) / kEight;
  const std::int64_t items = shape.tokens * (shape.query_heads + shape.key_heads) * pieces;
  const bool aligned =
      rows_aligned(half, qkv.data, cos_sin) && rows_aligned(shape.head_size, qkv.data);
  with_compute(qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(rope_kernel<T>, {blocks_for(items, kThreads), kThreads}, stream, as<T>(qkv),
                  cos_sin, positions, shape, items, pieces, sign, aligned);
  });
}

void scale_queries(cudaStream_t stream, Typed qkv, const float* scale,
                   const std::int32_t* positions, const RopeShape& shape) {
  const bool aligned = rows_aligned(shape.head_size, qkv.data);
  with_compute(qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(scale_queries_kernel<T>, {static_cast<unsigned>(shape.tokens), kThreads}, stream,
                  as<T>(qkv), scale, positions, shape, aligned);
  });
}

void glu_forward(cudaStream_t stream, Typed y, Typed gate_up, std::int64_t rows, std::int64_t width,
                 bool is_gelu) {
  const bool aligned = rows_aligned(width, y.data, gate_up.data);
  with_compute(y.dtype, [&](auto tag) {
    with_activation(is_gelu, [&](auto activation) {
      using T = typename decltype(tag)::type;
      using Function = typename decltype(activation)::type;
      for_row_grids(rows, width, [&](std::int64_t first, dim3 grid) {
        launch_kernel(glu_forward_kernel<Function, T>, {grid, kThreads}, stream,
                      as<T>(y) + first * width, as<T>(gate_up) + first * 2 * width, width, aligned);
      });
    });
  });
}

void glu_backward(cudaStream_t stream, Typed dgate_up, Typed y, Typed dy, Typed gate_up,
                  std::int64_t rows, std::int64_t width, bool is_gelu) {
  const bool aligned = rows_aligned(width, dgate_up.data, y.data, dy.data, gate_up.data);
  with_compute(dy.dtype, [&](auto tag) {
    with_activation(is_gelu, [&](auto activation) {
      using T = typename decltype(tag)::type;
      using Function = typename decltype(activation)::type;
      for_row_grids(rows, width, [&](std::int64_t first, dim3 grid) {
        launch_kernel(glu_backward_kernel<Function, T>, {grid, kThreads}, stream,
                      as<T>(dgate_up) + first * 2 * width, as<T>(y) + first * width,
                      as<T>(dy) + first * width, as<T>(gate_up) + first * 2 * width, width,
                      aligned);
      });
    });
  });
}

}  // namespace lmpo::cuda

// Movement of elements and rows.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void zero_kernel(uint4* x, std::int64_t words, unsigned char* tail, int tail_bytes) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < words) {
    x[i] = make_uint4(0, 0, 0, 0);
  }
  if (blockIdx.x == 0 && static_cast<int>(threadIdx.x) < tail_bytes) {
    tail[threadIdx.x] = 0;
  }
}

template <typename Out, typename In>
__global__ void cast_kernel(Out* out, const In* in, std::int64_t count, bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i < count) {
    float x[kEight];
    load_eight(x, in + i, aligned, count - i);
    store_eight(out + i, x, aligned, count - i);
  }
}

template <typename Out, typename In>
__global__ void gather_kernel(Out* y, const In* x, const std::int32_t* index, std::int64_t width,
                              std::int64_t rows, bool aligned) {
  const std::int64_t row = index[blockIdx.x];
  const bool inside = row >= 0 && row < rows;
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kThreads * kEight) {
    float values[kEight];
    if (inside) {
      load_eight(values, x + row * width + i, aligned, width - i);
    } else {
#pragma unroll
      for (float& value : values) {
        value = NAN;
      }
    }
    store_eight(y + blockIdx.x * width + i, values, aligned, width - i);
  }
}

template <typename T>
__global__ void scatter_kernel(T* dx, const T* dy, const std::int32_t* index, std::int64_t width,
                               std::int64_t rows, bool aligned) {
  const std::int64_t row = index[blockIdx.x];
  if (row < 0 || row >= rows) {
    return;
  }
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kThreads * kEight) {
    float values[kEight];
    load_eight(values, dy + blockIdx.x * width + i, aligned, width - i);
    store_eight(dx + row * width + i, values, aligned, width - i);
  }
}

// A block for each position of a pack: that of a token's first occurrence adds all of them, in
// order, so that no sum depends on timing.
template <typename T>
__global__ void embedding_backward_kernel(float* dtable, const T* dy, const std::int32_t* tokens,
                                          std::int64_t count, std::int64_t width,
                                          std::int64_t vocabulary, bool aligned) {
  const std::int64_t self = blockIdx.x;
  const std::int32_t token = tokens[self];
  if (token < 0 || token >= vocabulary) {
    return;
  }
  bool earlier = false;
  for (std::int64_t t = threadIdx.x; t < self; t += kThreads) {
    earlier |= tokens[t] == token;
  }
  if (__syncthreads_or(earlier)) {
    return;
  }
  for (std::int64_t i = threadIdx.x * kEight; i < width; i += kThreads * kEight) {
    float* out = dtable + token * width + i;
    float sum[kEight];
    load_eight(sum, out, aligned, width - i);
    for (std::int64_t t = self; t < count; ++t) {
      if (tokens[t] == token) {
        float x[kEight];
        load_eight(x, dy + t * width + i, aligned, width - i);
#pragma unroll
        for (int e = 0; e < kEight; ++e) {
          sum[e] += x[e];
        }
      }
    }
    store_eight(out, sum, aligned, width - i);
  }
}

constexpr int kRowsAtOnce = 8;
constexpr int kWarps = kThreads / 32;

// A warp for each output column; its weights are read once for kRowsAtOnce rows.
template <typename T, typename W>
__global__ void few_rows_kernel(T* y, std::int64_t y_stride, const T* x, std::int64_t x_stride,
                                const W* w, std::int64_t rows, std::int64_t in, std::int64_t out,
                                bool accumulate, bool aligned) {
  const std::int64_t column = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  const std::int64_t first = std::int64_t{blockIdx.y} * kRowsAtOnce;
  const int lane = threadIdx.x % 32;
  if (column >= out) {
    return;
  }
  float sums[kRowsAtOnce] = {};
  for (std::int64_t i = lane * kEight; i < in; i += 32 * kEight) {
    float weights[kEight];
    load_eight(weights, w + column * in + i, aligned, in - i);
#pragma unroll
    for (int r = 0; r < kRowsAtOnce; ++r) {
      if (first + r < rows) {
        float values[kEight];
        load_eight(values, x + (first + r) * x_stride + i, aligned, in - i);
#pragma unroll
        for (int e = 0; e < kEight; ++e) {
          sums[r] += values[e] * weights[e];
        }
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRowsAtOnce; ++r) {
    const float sum = warp_sum(sums[r]);
    if (lane == 0 && first + r < rows) {
      T& result = y[(first + r) * y_stride + column];
      result = narrow<T>(accumulate ? widen(result) + sum : sum);
    }
  }
}

template <typename T>
__global__ void scale_kernel(T* y, const T* x, float factor, bool accumulate, std::int64_t count,
                             bool aligned) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * kEight;
  if (i >= count) {
    return;
  }
  float values[kEight];
  float sums[kEight] = {};
  load_eight(values, x + i, aligned, count - i);
  if (accumulate) {
    load_eight(sums, y + i, aligned, count - i);
  }
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    sums[e] += factor * values[e];
  }
  store_eight(y + i, sums, aligned, count - i);
}

}  // namespace

void zero(cudaStream_t stream, void* x, std::size_t bytes) {
  auto* begin = static_cast<unsigned char*>(x);
  if (reinterpret_cast<std::uintptr_t>(begin) % sizeof(uint4) != 0) {
    cudaMemsetAsync(x, 0, bytes, stream);  // some row of a tensor; arenas align to 64 bytes
    return;
  }
  const auto words = static_cast<std::int64_t>(bytes / sizeof(uint4));
  launch_kernel(zero_kernel, {std::max(1U, blocks_for(words, kThreads)), kThreads}, stream,
                reinterpret_cast<uint4*>(begin), words, begin + words * sizeof(uint4),
                static_cast<int>(bytes % sizeof(uint4)));
}

void cast(cudaStream_t stream, Typed out, Typed in, std::int64_t count) {
  const bool aligned = rows_aligned(0, out.data, in.data);
  with_storage(out.dtype, [&](auto out_tag) {
    with_storage(in.dtype, [&](auto in_tag) {
      using Out = typename decltype(out_tag)::type;
      using In = typename decltype(in_tag)::type;
      launch_kernel(cast_kernel<Out, In>, {blocks_for(count, kThreads * kEight), kThreads}, stream,
                    as<Out>(out), as<In>(in), count, aligned);
    });
  });
}

void scale(cudaStream_t stream, Typed y, Typed x, float factor, bool accumulate,
           std::int64_t count) {
  const bool aligned = rows_aligned(0, y.data, x.data);
  with_compute(y.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(scale_kernel<T>, {blocks_for(count, kThreads * kEight), kThreads}, stream,
                  as<T>(y), as<T>(x), factor, accumulate, count, aligned);
  });
}

void gather_rows(cudaStream_t stream, Typed y, Typed x, const std::int32_t* index,
                 std::int64_t count, std::int64_t width, std::int64_t rows) {
  const bool aligned = rows_aligned(width, y.data, x.data);
  with_compute(y.dtype, [&](auto y_tag) {
    with_storage(x.dtype, [&](auto x_tag) {
      using Out = typename decltype(y_tag)::type;
      using In = typename decltype(x_tag)::type;
      launch_kernel(gather_kernel<Out, In>, {static_cast<unsigned>(count), kThreads}, stream,
                    as<Out>(y), as<In>(x), index, width, rows, aligned);
    });
  });
}

void scatter_rows(cudaStream_t stream, Typed dx, Typed dy, const std::int32_t* index,
                  std::int64_t count, std::int64_t width, std::int64_t rows) {
  const bool aligned = rows_aligned(width, dx.data, dy.data);
  with_compute(dx.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(scatter_kernel<T>, {static_cast<unsigned>(count), kThreads}, stream, as<T>(dx),
                  as<T>(dy), index, width, rows, aligned);
  });
}

void embedding_backward(cudaStream_t stream, float* dtable, Typed dy, const std::int32_t* tokens,
                        std::int64_t count, std::int64_t width, std::int64_t vocabulary) {
  const bool aligned = rows_aligned(width, dtable, dy.data);
  with_compute(dy.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(embedding_backward_kernel<T>, {static_cast<unsigned>(count), kThreads}, stream,
                  dtable, as<T>(dy), tokens, count, width, vocabulary, aligned);
  });
}

void few_rows_product(cudaStream_t stream, Matrix y, Matrix x, Typed w, std::int64_t rows,
                      std::int64_t in, std::int64_t out, bool accumulate) {
  const bool aligned = rows_aligned(in, x.data, w.data) && x.stride % kEight == 0;
  const dim3 grid(blocks_for(out, kWarps), blocks_for(rows, kRowsAtOnce));
  with_compute(y.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      using T = typename decltype(tag)::type;
      using W = typename decltype(w_tag)::type;
      launch_kernel(few_rows_kernel<T, W>, {grid, kThreads}, stream, as<T>(y), y.stride, as<T>(x),
                    x.stride, as<W>(w), rows, in, out, accumulate, aligned);
    });
  });
}

}  // namespace lmpo::cuda

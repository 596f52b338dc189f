// RMSNorm: a team of threads for each vector, which keep what they have read of it. Long vectors
// have a block, short ones, those of heads, a warp. Backward goes through groups of vectors, so that
// a team's share of the weight's gradient stays in registers; the shares are then added in the order
// of the groups.
#include <type_traits>

#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostPieces = 4;  // of eight columns, that a thread keeps

// This thread's place in its team, and its team's in the grid.
template <int team>
struct Team {
  static constexpr int kStride = team * kEight;

  static __device__ int lane() { return static_cast<int>(threadIdx.x) % team; }
  static __device__ unsigned index() { return blockIdx.x * (kThreads / team) + threadIdx.x / team; }
  static __device__ unsigned count() { return gridDim.x * (kThreads / team); }
  // The first of so many vectors that a team of this number takes; those of the next are behind it.
  static __device__ unsigned first(std::int64_t vectors, unsigned number) {
    return static_cast<unsigned>(vectors * number / count());
  }
  static __device__ float sum(float x) {
    if constexpr (team == 32) {
      return warp_sum(x);
    } else {
      return block_sum(x);
    }
  }
};

// Columns of a vector in the hands of one thread: pieces that lie a stride of the team apart.
template <int team, int pieces>
struct VectorPieces {
  float x[pieces][kEight];

  template <typename T>
  __device__ void load(const T* vector, std::int64_t width, bool aligned) {
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      const std::int64_t i = p * Team<team>::kStride + Team<team>::lane() * kEight;
      load_eight(x[p], vector + i, aligned, width - i);
    }
  }
  template <typename T>
  __device__ void store(T* vector, std::int64_t width, bool aligned) const {
#pragma unroll
    for (int p = 0; p < pieces; ++p) {
      const std::int64_t i = p * Team<team>::kStride + Team<team>::lane() * kEight;
      store_eight(vector + i, x[p], aligned, width - i);
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

// Where a vector lies in a matrix whose rows are `stride` elements apart.
__device__ inline std::int64_t vector_place(const NormShape& shape, unsigned vector,
                                            std::int64_t stride) {
  const auto groups = static_cast<unsigned>(shape.groups);
  return vector / groups * stride + vector % groups * shape.width;
}

template <int team, int pieces, typename T, typename W>
__global__ void forward_kernel(T* y, std::int64_t y_stride, float* rstd, const T* x,
                               std::int64_t x_stride, const W* w, float eps, NormShape shape,
                               bool accumulate, bool aligned) {
  const unsigned vector = Team<team>::index();
  if (vector >= shape.vectors) {
    return;  // whole teams
  }
  T* const out = y + vector_place(shape, vector, y_stride);
  VectorPieces<team, pieces> values;
  VectorPieces<team, pieces> weights;
  values.load(x + vector_place(shape, vector, x_stride), shape.width, aligned);
  weights.load(w, shape.width, aligned);
  weights.add(shape.offset);
  float sum = 0.0F;
  values.for_all([&](int p, int e) { sum += values.x[p][e] * values.x[p][e]; });
  const float mean = Team<team>::sum(sum) / static_cast<float>(shape.width);
  const float factor = 1.0F / sqrtf(mean + eps);
  if (Team<team>::lane() == 0) {
    rstd[vector] = factor;
  }
  values.for_all([&](int p, int e) { values.x[p][e] = values.x[p][e] * factor * weights.x[p][e]; });
  if (accumulate) {
    VectorPieces<team, pieces> before;
    before.load(out, shape.width, aligned);
    values.for_all([&](int p, int e) { values.x[p][e] += before.x[p][e]; });
  }
  values.store(out, shape.width, aligned);
}

template <typename T>
struct NormGradient {
  T* dx;
  std::int64_t dx_stride;
  const T* dy;
  std::int64_t dy_stride;
  const T* x;
  std::int64_t x_stride;
};

// With y = x rstd w:  dx = rstd (w dy - x rstd^2 mean(w dy x)), and the group's part of dw, the sum
// of dy x rstd.
template <int team, int pieces, typename T, typename W>
__global__ void __launch_bounds__(kThreads, pieces <= 2 ? 3 : 1)
    backward_kernel(NormGradient<T> g, float* partial, const W* w, const float* rstd,
                    NormShape shape, bool accumulate, bool aligned) {
  const std::int64_t width = shape.width;
  const unsigned index = Team<team>::index();
  VectorPieces<team, pieces> dw = {};
  const unsigned last = Team<team>::first(shape.vectors, index + 1);
  for (unsigned v = Team<team>::first(shape.vectors, index); v < last; ++v) {
    VectorPieces<team, pieces> dys;
    VectorPieces<team, pieces> xs;
    VectorPieces<team, pieces> weights;
    dys.load(g.dy + vector_place(shape, v, g.dy_stride), width, aligned);
    xs.load(g.x + vector_place(shape, v, g.x_stride), width, aligned);
    weights.load(w, width, aligned);
    weights.add(shape.offset);
    const float factor = rstd[v];
    float sum = 0.0F;
    dys.for_all([&](int p, int e) {
      dw.x[p][e] += dys.x[p][e] * (xs.x[p][e] * factor);
      dys.x[p][e] *= weights.x[p][e];
      sum += dys.x[p][e] * xs.x[p][e];
    });
    T* const result = g.dx + vector_place(shape, v, g.dx_stride);
    VectorPieces<team, pieces> out = {};
    if (accumulate) {
      out.load(result, width, aligned);
    }
    const float projection = factor * factor * Team<team>::sum(sum) / static_cast<float>(width);
    dys.for_all(
        [&](int p, int e) { out.x[p][e] += factor * (dys.x[p][e] - xs.x[p][e] * projection); });
    out.store(result, width, aligned);
  }
  dw.store(partial + index * width, width, aligned);
}

// body(two integral constants) with the threads of a team and the pieces that each has of vectors of
// this width.
template <typename Body>
void with_team(std::int64_t width, const Body& body) {
  constexpr std::int64_t kOfWarp = Team<32>::kStride;
  constexpr std::int64_t kOfBlock = Team<kThreads>::kStride;
  static_assert(kLargestNorm == kMostPieces * kOfBlock);
  const std::integral_constant<int, 32> warp;
  const std::integral_constant<int, kThreads> block;
  const std::integral_constant<int, 1> one;
  const std::integral_constant<int, 2> two;
  if (width <= kOfWarp) {
    body(warp, one);
  } else if (width <= 2 * kOfWarp) {
    body(warp, two);
  } else if (width <= kOfBlock) {
    body(block, one);
  } else if (width <= 2 * kOfBlock) {
    body(block, two);
  } else {
    body(block, std::integral_constant<int, kMostPieces>());
  }
}

// Whether vectors can be read in pieces of 16 bytes from all of these matrices.
template <typename... Matrices>
bool are_aligned(std::int64_t width, Typed w, const Matrices&... x) {
  return rows_aligned(width, w.data, x.data...) && ((x.stride % kEight == 0) && ...);
}

}  // namespace

void rmsnorm_forward(cudaStream_t stream, Matrix y, float* rstd, Matrix x, Typed w, float eps,
                     const NormShape& shape, bool accumulate) {
  const bool aligned = are_aligned(shape.width, w, y, x);
  with_compute(x.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      with_team(shape.width, [&](auto team, auto pieces) {
        using T = typename decltype(tag)::type;
        using W = typename decltype(w_tag)::type;
        launch_kernel(forward_kernel<team.value, pieces.value, T, W>,
                      {blocks_for(shape.vectors, kThreads / team.value), kThreads}, stream,
                      as<T>(y), y.stride, rstd, as<T>(x), x.stride, as<W>(w), eps, shape,
                      accumulate, aligned);
      });
    });
  });
}

void rmsnorm_backward(cudaStream_t stream, Matrix dx, float* dw, Matrix dy, Matrix x, Typed w,
                      const float* rstd, float* partial, const NormShape& shape, bool accumulate) {
  const bool aligned = are_aligned(shape.width, w, dx, dy, x);
  with_compute(x.dtype, [&](auto tag) {
    with_storage(w.dtype, [&](auto w_tag) {
      with_team(shape.width, [&](auto team, auto pieces) {
        using T = typename decltype(tag)::type;
        using W = typename decltype(w_tag)::type;
        // Whole blocks of teams: those without a vector add zeros.
        constexpr int kTeams = kThreads / team.value;
        const auto blocks = static_cast<unsigned>(
            row_groups(blocks_for(shape.vectors, kTeams), shape.width * kTeams));
        const NormGradient<T> gradient{as<T>(dx), dx.stride, as<T>(dy),
                                       dy.stride, as<T>(x),  x.stride};
        launch_kernel(backward_kernel<team.value, pieces.value, T, W>, {blocks, kThreads}, stream,
                      gradient, partial, as<W>(w), rstd, shape, accumulate, aligned);
        if (dw != nullptr) {
          add_groups(stream, dw, partial, std::int64_t{blocks} * kTeams, shape.width);
        }
      });
    });
  });
}

}  // namespace lmpo::cuda

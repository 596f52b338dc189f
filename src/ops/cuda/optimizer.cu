// AdamW and the sum of squares. Compiled without fused multiply-adds, so that the arithmetic is
// that of the CPU, operation by operation.
#include <type_traits>

#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kBlock = 256;  // elements of a warp, and of a block of 8-bit moments
static_assert(kBlock == 32 * kEight);

// A bfloat16 weight and its 16 missing bits; see SplitFloat.
__device__ inline float join(std::uint16_t high, std::int16_t low) {
  return __uint_as_float((static_cast<std::uint32_t>(high) << 16) +
                         static_cast<std::uint32_t>(static_cast<std::int32_t>(low)));
}

__device__ inline void split(std::uint16_t& high, std::int16_t& low, float x) {
  const std::uint32_t bits = __float_as_uint(x);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U;
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  const std::uint32_t kept = nan ? (bits & 0xFFFF0000U) | 0x400000U : rounded;
  const std::int32_t exact = nan ? 0 : static_cast<std::int32_t>(bits - kept);
  high = static_cast<std::uint16_t>(kept >> 16);
  low = static_cast<std::int16_t>(exact > 0x7FFF ? 0x7FFF : exact);
}

template <typename T>
__device__ inline void load_bits(T (&out)[kEight], const T* x, bool aligned, std::int64_t count) {
  if (aligned && count >= kEight) {
    using Packed = typename std::conditional<sizeof(T) == 1, uint2, uint4>::type;
    *reinterpret_cast<Packed*>(out) = *reinterpret_cast<const Packed*>(x);
    return;
  }
#pragma unroll
  for (int i = 0; i < kEight; ++i) {
    out[i] = i < count ? x[i] : T{0};
  }
}

template <typename T>
__device__ inline void store_bits(T* x, const T (&in)[kEight], bool aligned, std::int64_t count) {
  if (aligned && count >= kEight) {
    using Packed = typename std::conditional<sizeof(T) == 1, uint2, uint4>::type;
    *reinterpret_cast<Packed*>(x) = *reinterpret_cast<const Packed*>(in);
    return;
  }
#pragma unroll
  for (int i = 0; i < kEight; ++i) {
    if (i < count) {
      x[i] = in[i];
    }
  }
}

// The float32 master of eight weights, and back; one for each storage.
struct Float32Master {
  float* w;
  __device__ void load(float (&x)[kEight], std::int64_t i, bool aligned, std::int64_t count) const {
    load_eight(x, w + i, aligned, count);
  }
  __device__ void store(const float (&x)[kEight], std::int64_t i, bool aligned,
                        std::int64_t count) const {
    store_eight(w + i, x, aligned, count);
  }
};

struct SplitMaster {
  std::uint16_t* w;
  std::int16_t* low;
  __device__ void load(float (&x)[kEight], std::int64_t i, bool aligned, std::int64_t count) const {
    alignas(16) std::uint16_t high[kEight];
    alignas(16) std::int16_t rest[kEight];
    load_bits(high, w + i, aligned, count);
    load_bits(rest, low + i, aligned, count);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      x[e] = join(high[e], rest[e]);
    }
  }
  __device__ void store(const float (&x)[kEight], std::int64_t i, bool aligned,
                        std::int64_t count) const {
    alignas(16) std::uint16_t high[kEight];
    alignas(16) std::int16_t rest[kEight];
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      split(high[e], rest[e], x[e]);
    }
    store_bits(w + i, high, aligned, count);
    store_bits(low + i, rest, aligned, count);
  }
};

struct Float16Master {
  __half* w;
  float* master;
  __device__ void load(float (&x)[kEight], std::int64_t i, bool aligned, std::int64_t count) const {
    load_eight(x, master + i, aligned, count);
  }
  __device__ void store(const float (&x)[kEight], std::int64_t i, bool aligned,
                        std::int64_t count) const {
    store_eight(master + i, x, aligned, count);
    store_eight(w + i, x, aligned, count);
  }
};

// In the order of operations of torch.optim.AdamW; see the CPU's.
__device__ inline void update(float& w, float gradient, float& moment1, float& moment2,
                              const AdamWConstants& c) {
  const float g = gradient * c.scale;
  const float difference = g - moment1;
  const float m =
      c.beta1_rest < 0.5F ? moment1 + c.beta1_rest * difference : g - c.beta1 * difference;
  const float v = moment2 * c.beta2 + c.beta2_rest * g * g;
  const float denominator = sqrtf(v) / c.correction2_root + c.epsilon;
  w = w * c.decay + c.minus_step * m / denominator;
  moment1 = m;
  moment2 = v;
}

// A warp for each 256 elements of a row.
struct Piece {
  std::int64_t begin;  // of this thread's eight elements, in the whole tensor
  std::int64_t count;  // of them that there are; may be below 1
  std::int64_t block;
  bool in_tensor;
};
__device__ inline Piece this_piece(std::int64_t rows, std::int64_t columns) {
  const std::int64_t of_row = (columns + kBlock - 1) / kBlock;
  const std::int64_t block = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  const std::int64_t column = block % of_row * kBlock + threadIdx.x % 32 * kEight;
  return {block / of_row * columns + column, columns - column, block, block < rows * of_row};
}

template <typename Master>
__global__ void float_kernel(Master master, AdamWTensors t, AdamWConstants c, bool aligned) {
  const Piece piece = this_piece(t.rows, t.columns);
  if (!piece.in_tensor || piece.count < 1) {
    return;
  }
  auto* moment1 = static_cast<float*>(t.moment1);
  auto* moment2 = static_cast<float*>(t.moment2);
  float w[kEight];
  float g[kEight];
  float m[kEight];
  float v[kEight];
  load_eight(g, t.gradient + piece.begin, aligned, piece.count);
  load_eight(m, moment1 + piece.begin, aligned, piece.count);
  load_eight(v, moment2 + piece.begin, aligned, piece.count);
  master.load(w, piece.begin, aligned, piece.count);
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    update(w[e], g[e], m[e], v[e], c);
  }
  store_eight(moment1 + piece.begin, m, aligned, piece.count);
  store_eight(moment2 + piece.begin, v, aligned, piece.count);
  master.store(w, piece.begin, aligned, piece.count);
}

__device__ inline int nearest_code(float x, const float* borders) {
  int low = 0;
  int high = 255;
#pragma unroll
  for (int step = 0; step < 8; ++step) {
    const int middle = (low + high) / 2;
    if (x > borders[middle]) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// x to codes, and the scale of the warp's block. Both signs, or what is positive stays so.
__device__ inline float encode(std::uint8_t (&codes)[kEight], const float (&x)[kEight],
                               const float* borders, bool positive, std::int64_t count) {
  float scale = 0.0F;
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    scale = e < count ? fmaxf(scale, fabsf(x[e])) : scale;
  }
  scale = warp_maximum(scale);
  if (!(scale > 0.0F)) {
#pragma unroll
    for (std::uint8_t& code : codes) {
      code = 0;
    }
    return 0.0F;
  }
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    int code = nearest_code(fminf(fmaxf(x[e] / scale, -1.0F), 1.0F), borders);
    if (positive && code == 0 && x[e] > 0.0F) {
      code = 1;
    }
    codes[e] = static_cast<std::uint8_t>(code);
  }
  return scale;
}

template <typename Master>
__global__ void coded_kernel(Master master, AdamWTensors t, AdamWConstants c,
                             const AdamWCodes* codes, bool aligned) {
  __shared__ AdamWCodes table;
  for (unsigned i = threadIdx.x; i < sizeof(AdamWCodes) / sizeof(float); i += kThreads) {
    reinterpret_cast<float*>(&table)[i] = reinterpret_cast<const float*>(codes)[i];
  }
  __syncthreads();
  const Piece piece = this_piece(t.rows, t.columns);
  if (!piece.in_tensor) {
    return;  // whole warps
  }
  std::uint8_t* moment1 = static_cast<std::uint8_t*>(t.moment1) + piece.begin;
  std::uint8_t* moment2 = static_cast<std::uint8_t*>(t.moment2) + piece.begin;
  const float scale1 = t.scales1[piece.block];
  const float scale2 = t.scales2[piece.block];
  alignas(8) std::uint8_t code1[kEight];
  alignas(8) std::uint8_t code2[kEight];
  float w[kEight];
  float g[kEight];
  float m[kEight];
  float v[kEight];
  load_bits(code1, moment1, aligned, piece.count);
  load_bits(code2, moment2, aligned, piece.count);
  load_eight(g, t.gradient + piece.begin, aligned, piece.count);
  master.load(w, piece.begin, aligned, piece.count);
#pragma unroll
  for (int e = 0; e < kEight; ++e) {
    m[e] = scale1 * table.values[0][code1[e]];
    v[e] = scale2 * table.values[1][code2[e]];
    update(w[e], g[e], m[e], v[e], c);
  }
  master.store(w, piece.begin, aligned, piece.count);
  const float new_scale1 = encode(code1, m, table.borders[0], false, piece.count);
  const float new_scale2 = encode(code2, v, table.borders[1], true, piece.count);
  store_bits(moment1, code1, aligned, piece.count);
  store_bits(moment2, code2, aligned, piece.count);
  if (threadIdx.x % 32 == 0) {
    t.scales1[piece.block] = new_scale1;
    t.scales2[piece.block] = new_scale2;
  }
}

template <typename Master>
void launch(cudaStream_t stream, const Master& master, const AdamWTensors& t,
            const AdamWConstants& c, const AdamWCodes* codes, bool aligned) {
  const std::int64_t warps = t.rows * ((t.columns + kBlock - 1) / kBlock);
  const unsigned blocks = blocks_for(warps, kWarps);
  if (t.scales1 == nullptr) {
    launch_kernel(float_kernel<Master>, {blocks, kThreads}, stream, master, t, c, aligned);
  } else {
    launch_kernel(coded_kernel<Master>, {blocks, kThreads}, stream, master, t, c, codes, aligned);
  }
}

__global__ void square_kernel(double* partial, const float* x, std::int64_t count, bool aligned) {
  const std::int64_t pieces = (count + kEight - 1) / kEight;
  const std::int64_t first = pieces * blockIdx.x / kSquareParts;
  const std::int64_t last = pieces * (blockIdx.x + 1) / kSquareParts;
  double sum = 0.0;
  for (std::int64_t piece = first + threadIdx.x; piece < last; piece += kThreads) {
    float values[kEight];
    load_eight(values, x + piece * kEight, aligned, count - piece * kEight);
#pragma unroll
    for (const float value : values) {
      sum += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = sum;
  }
}

__global__ void add_parts_kernel(double* result, const double* partial, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) {
    sum += partial[i];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    *result = sum;
  }
}

}  // namespace

void adamw(cudaStream_t stream, const AdamWTensors& t, const AdamWConstants& constants,
           const AdamWCodes* codes) {
  const bool aligned = rows_aligned(t.columns, t.w.data, t.low, t.gradient, t.moment1, t.moment2);
  if (t.w.dtype == Dtype::f32) {
    launch(stream, Float32Master{as<float>(t.w)}, t, constants, codes, aligned);
  } else if (t.w.dtype == Dtype::bf16) {
    launch(stream, SplitMaster{as<std::uint16_t>(t.w), static_cast<std::int16_t*>(t.low)}, t,
           constants, codes, aligned);
  } else {
    launch(stream, Float16Master{as<__half>(t.w), static_cast<float*>(t.low)}, t, constants, codes,
           aligned);
  }
}

void square_sums(cudaStream_t stream, double* partial, const float* x, std::int64_t count) {
  launch_kernel(square_kernel, {kSquareParts, kThreads}, stream, partial, x, count,
                rows_aligned(0, x));
}

void add_parts(cudaStream_t stream, double* result, const double* partial, std::int64_t count) {
  launch_kernel(add_parts_kernel, {1, kThreads}, stream, result, partial, count);
}

}  // namespace lmpo::cuda

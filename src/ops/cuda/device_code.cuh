// What kernels share: numbers of every storage type as float32, eight at a time, and sums over a
// block in a fixed order.
#pragma once

#include <cstdint>

#include "ops/cuda/kernels.h"
#include "ops/cuda/language.cuh"

namespace lmpo::cuda {

__device__ inline float widen(float x) {
  return x;
}
__device__ inline float widen(__nv_bfloat16 x) {
  return __bfloat162float(x);
}
__device__ inline float widen(__half x) {
  return __half2float(x);
}

template <typename T>
__device__ inline T narrow(float x);
template <>
__device__ inline float narrow<float>(float x) {
  return x;
}
template <>
__device__ inline __nv_bfloat16 narrow<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ inline __half narrow<__half>(float x) {
  return __float2half_rn(x);
}

// Elements that a thread handles at a time: 16 bytes of the 16-bit types.
constexpr int kEight = 8;

// x[0, 8) of memory aligned to 16 bytes; otherwise, or where fewer are left, x[0, count) and zeros.
template <typename T>
__device__ inline void load_eight(float (&out)[kEight], const T* x, bool aligned,
                                  std::int64_t count) {
  if (aligned && count >= kEight) {
    constexpr int kWords = sizeof(T) * kEight / sizeof(uint4);
    uint4 packed[kWords];
#pragma unroll
    for (int i = 0; i < kWords; ++i) {
      packed[i] = reinterpret_cast<const uint4*>(x)[i];
    }
    const T* values = reinterpret_cast<const T*>(packed);
#pragma unroll
    for (int i = 0; i < kEight; ++i) {
      out[i] = widen(values[i]);
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < kEight; ++i) {
    out[i] = i < count ? widen(x[i]) : 0.0F;
  }
}

template <typename T>
__device__ inline void store_eight(T* x, const float (&in)[kEight], bool aligned,
                                   std::int64_t count) {
  if (aligned && count >= kEight) {
    constexpr int kWords = sizeof(T) * kEight / sizeof(uint4);
    uint4 packed[kWords];
    T* values = reinterpret_cast<T*>(packed);
#pragma unroll
    for (int i = 0; i < kEight; ++i) {
      values[i] = narrow<T>(in[i]);
    }
#pragma unroll
    for (int i = 0; i < kWords; ++i) {
      reinterpret_cast<uint4*>(x)[i] = packed[i];
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < kEight; ++i) {
    if (i < count) {
      x[i] = narrow<T>(in[i]);
    }
  }
}

__device__ inline float warp_sum(float x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    x += __shfl_xor_sync(0xFFFFFFFFU, x, step);
  }
  return x;
}

__device__ inline float warp_maximum(float x) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFU, x, step));
  }
  return x;
}

// The score of a query and a key from their product, and its derivative by the scaled product. That
// scores are capped is a constant of the kernel, so that others compute as if there were no cap.
template <bool kCapped>
struct ScoreRule {
  float scale;
  float softcap;

  __device__ float score(float product) const {
    return kCapped ? softcap * tanhf(product * scale / softcap) : product * scale;
  }
  __device__ float slope(float score) const {
    return kCapped ? 1.0F - score / softcap * (score / softcap) : 1.0F;
  }
};

// body(its ScoreRule) for a scale and a softcap, 0 where scores are not capped.
template <typename Body>
void with_score_rule(float scale, float softcap, const Body& body) {
  if (softcap == 0.0F) {
    body(ScoreRule<false>{scale, softcap});
  } else {
    body(ScoreRule<true>{scale, softcap});
  }
}

// The sum over a block of whole warps, at most 32 of them, for every thread of it. Calls may follow
// one another: between them lie the barriers behind which each value is read.
template <typename T>
__device__ inline T block_sum(T x) {
  __shared__ T of_warps[32];
  __shared__ T total;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    x += __shfl_xor_sync(0xFFFFFFFFU, x, step);
  }
  if (threadIdx.x % 32 == 0) {
    of_warps[threadIdx.x / 32] = x;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    T sum = of_warps[0];
    for (unsigned i = 1; i < blockDim.x / 32; ++i) {
      sum += of_warps[i];
    }
    total = sum;
  }
  __syncthreads();
  return total;
}

// On the host: types and launch sizes.

template <typename T>
struct TypeTag {
  using type = T;
};

// body(TypeTag<T>()) for the element type of a storage dtype.
template <typename Body>
void with_storage(Dtype dtype, const Body& body) {
  if (dtype == Dtype::f32) {
    body(TypeTag<float>());
  } else if (dtype == Dtype::bf16) {
    body(TypeTag<__nv_bfloat16>());
  } else if (dtype == Dtype::f16) {
    body(TypeTag<__half>());
  }
}

// The same for the types that activations have.
template <typename Body>
void with_compute(Dtype dtype, const Body& body) {
  if (dtype == Dtype::f32) {
    body(TypeTag<float>());
  } else {
    body(TypeTag<__nv_bfloat16>());
  }
}

template <typename T>
T* as(Typed x) {
  return static_cast<T*>(x.data);
}

inline unsigned blocks_for(std::int64_t count, std::int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

// Whether rows of this width can be read in pieces of 16 bytes from all of these pointers.
template <typename... Pointers>
bool rows_aligned(std::int64_t width, const Pointers*... pointers) {
  return width % kEight == 0 && ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

}  // namespace lmpo::cuda

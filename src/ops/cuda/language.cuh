// What CUDA has beyond C++, behind functions: launches, shared memory sized by who launches, and
// the instructions that the tensor cores' kernels are made of. Where the program emulates a GPU,
// emulation/language.h has all of it.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace lmpo::cuda {

struct LaunchSize {
  dim3 blocks;
  unsigned threads;              // of a block
  std::size_t shared_bytes = 0;  // of dynamic_shared
};

}  // namespace lmpo::cuda

#ifdef LMPO_EMULATED_GPU
#include "ops/cuda/emulation/language.h"
#else

namespace lmpo::cuda {

template <typename... Parameters, typename... Arguments>
void launch_kernel(void (*kernel)(Parameters...), const LaunchSize& size, cudaStream_t stream,
                   Arguments... arguments) {
  const auto& [blocks, threads, bytes] = size;
  if (bytes > std::size_t{48} << 10) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(bytes));
  }
  kernel<<<blocks, threads, bytes, stream>>>(arguments...);
}

// The block's shared memory of LaunchSize::shared_bytes.
__device__ inline unsigned char* dynamic_shared() {
  extern __shared__ __align__(1024) unsigned char memory[];
  return memory;
}

// Of an object in shared memory, as the instructions below take it.
__device__ inline std::uint32_t shared_address(const void* x) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(x));
}

// c[16,8] += a[16,16] b[16,8], bfloat16 with sums in float32. By a whole warp; who holds what is in
// tensor_core.cuh.
__device__ inline void multiply_16x8x16(float (&c)[4], const std::uint32_t (&a)[4],
                                        const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four matrices of 8 x 8 numbers of 16 bits. Lane 8m + i gives the address of row i of matrix m;
// words[m] becomes columns 2t and 2t + 1 of its row g, or rows 2t and 2t + 1 of its column g.
__device__ inline void load_matrices(std::uint32_t (&words)[4], std::uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(row));
}
__device__ inline void load_matrices_transposed(std::uint32_t (&words)[4], std::uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(row));
}

// Begins to copy 16 bytes, or 4, to shared memory; zeros where there are none to copy.
__device__ inline void start_copy_16(std::uint32_t to, const void* from, bool is_there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(from),
               "r"(is_there ? 16 : 0));
}
__device__ inline void start_copy_4(std::uint32_t to, const void* from, bool is_there) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(to), "l"(from),
               "r"(is_there ? 4 : 0));
}
// Copies begun so far belong to one group; wait for all of this thread's groups but the newest
// `pending`.
__device__ inline void end_copy_group() {
  asm volatile("cp.async.commit_group;\n");
}
template <int pending>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(pending));
}

// 2^x, to two roundings or so; what is below the smallest normal number becomes zero.
__device__ inline float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace lmpo::cuda
#endif

namespace lmpo::cuda {

// tanh(x) to about 2e-7, by the exponential: the instruction that there is for it is wrong from the
// fourth digit on.
__device__ inline float fast_tanh(float x) {
  constexpr float kTwiceLog2E = 2.88539008177792681472F;
  return 1.0F - __fdividef(2.0F, fast_exp2(x * kTwiceLog2E) + 1.0F);
}

}  // namespace lmpo::cuda

// What language.cuh declares, and CUDA's built-in functions, for kernels that the host runs
// (threads.h). Included there alone.
#pragma once

#include <cmath>
#include <cstring>
#include <tuple>

#include "ops/cuda/emulation/runtime.h"
#include "ops/cuda/emulation/threads.h"

// NOLINTBEGIN(bugprone-reserved-identifier): CUDA's own names
inline void __syncthreads() {
  lmpo::cuda::emulation::block_barrier();
}
inline int __syncthreads_or(int mine) {
  return lmpo::cuda::emulation::block_barrier(mine != 0) ? 1 : 0;
}
template <typename T>
T __shfl_xor_sync(unsigned lanes, T x, int mask) {
  if (lanes != 0xFFFFFFFFU) {
    throw lmpo::cuda::emulation::KernelError("only whole warps exchange numbers here");
  }
  const auto all = lmpo::cuda::emulation::exchange(x);
  return all[lmpo::cuda::emulation::this_lane() ^ static_cast<unsigned>(mask)];
}

inline float __expf(float x) {
  return expf(x);
}
inline float __fdividef(float x, float y) {
  return x / y;
}
inline float rsqrtf(float x) {
  return 1.0F / sqrtf(x);
}
inline unsigned __float_as_uint(float x) {
  unsigned bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float __uint_as_float(unsigned bits) {
  float x = 0.0F;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
// NOLINTEND(bugprone-reserved-identifier)
template <typename T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <typename T>
T max(T a, T b) {
  return a < b ? b : a;
}

namespace lmpo::cuda {

template <typename... Parameters, typename... Arguments>
void launch_kernel(void (*kernel)(Parameters...), const LaunchSize& size, cudaStream_t,
                   Arguments... arguments) {
  const std::tuple<Parameters...> values(static_cast<Parameters>(arguments)...);
  emulation::launch([&] {
    emulation::run_grid(size.blocks, size.threads, size.shared_bytes,
                        [&] { std::apply(kernel, values); });
  });
}

inline unsigned char* dynamic_shared() {
  return reinterpret_cast<unsigned char*>(emulation::shared_memory());
}
inline std::uint32_t shared_address(const void* x) {
  return emulation::shared_address_of(x);
}

// The halves of a word as the numbers that they are, the lower one first.
inline float bf16_of(std::uint32_t word, unsigned half) {
  return __uint_as_float(half == 0 ? word << 16 : word & 0xFFFF0000U);
}

inline void multiply_16x8x16(float (&c)[4], const std::uint32_t (&a)[4],
                             const std::uint32_t (&b)[2]) {
  struct Words {
    std::uint32_t a[4];
    std::uint32_t b[2];
  };
  const auto all = emulation::exchange(Words{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}});
  const unsigned lane = emulation::this_lane();
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = lane / 4 + i / 2 * 8;
    const unsigned column = lane % 4 * 2 + i % 2;
    for (unsigned k = 0; k < 16; ++k) {
      const Words& of_row = all[row % 8 * 4 + k % 8 / 2];
      const Words& of_column = all[column * 4 + k % 8 / 2];
      c[i] += bf16_of(of_row.a[row / 8 + k / 8 * 2], k % 2) * bf16_of(of_column.b[k / 8], k % 2);
    }
  }
}

// words[m] = columns 2t and 2t + 1 of row g of the m-th matrix, or of its transpose.
inline void load_four_matrices(std::uint32_t (&words)[4], std::uint32_t own_row, bool transposed) {
  const auto rows = emulation::exchange(own_row);
  const unsigned lane = emulation::this_lane();
  for (unsigned m = 0; m < 4; ++m) {
    if (lane == 0) {
      emulation::count_bank_conflicts(rows.data() + m * 8);
    }
    words[m] = 0;
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned g = lane / 4;
      const unsigned column = 2 * (lane % 4) + half;
      const std::uint32_t row = rows[m * 8 + (transposed ? column : g)];
      std::uint16_t bits = 0;
      std::memcpy(&bits, emulation::shared_at(row, 16) + (transposed ? g : column) * sizeof bits,
                  sizeof bits);
      words[m] |= std::uint32_t{bits} << (16 * half);
    }
  }
}
inline void load_matrices(std::uint32_t (&words)[4], std::uint32_t row) {
  load_four_matrices(words, row, false);
}
inline void load_matrices_transposed(std::uint32_t (&words)[4], std::uint32_t row) {
  load_four_matrices(words, row, true);
}

inline void start_copy_16(std::uint32_t to, const void* from, bool is_there) {
  emulation::start_copy(to, from, 16, is_there);
}
inline void start_copy_4(std::uint32_t to, const void* from, bool is_there) {
  emulation::start_copy(to, from, 4, is_there);
}
using emulation::end_copy_group;
template <int pending>
void wait_for_copies() {
  emulation::wait_for_copies(pending);
}

inline float fast_exp2(float x) {
  const float y = exp2f(x);
  return y < 0x1p-126F ? 0.0F : y;
}

}  // namespace lmpo::cuda

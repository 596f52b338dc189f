// Tiles of bfloat16 in shared memory and the tensor cores' 16 x 8 x 16 products over them.
//
// A fragment is a warp's share of a matrix. With g = lane / 4 and t = lane % 4 (PTX, mma.m16n8k16):
//   A[16,16]  rows g and g + 8, columns 2t, 2t + 1 and those plus 8     four words of two numbers
//   B[16,8]   rows 2t, 2t + 1 and those plus 8, column g                two words
//   C[16,8]   rows g and g + 8, columns 2t, 2t + 1                      four float32
// So C of two neighbouring products, rounded, is A of the next.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace lmpo::cuda {

struct FragmentA {
  std::uint32_t word[4];
};
struct FragmentB {
  std::uint32_t word[2];
};
struct FragmentC {
  float x[4];
};

__device__ inline void multiply_add(FragmentC& c, const FragmentA& a, const FragmentB& b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(c.x[0]), "+f"(c.x[1]), "+f"(c.x[2]), "+f"(c.x[3])
      : "r"(a.word[0]), "r"(a.word[1]), "r"(a.word[2]), "r"(a.word[3]), "r"(b.word[0]),
        "r"(b.word[1]));
}

__device__ inline std::uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&both);
}

// The A of columns [0, 16) from the Cs of columns [0, 8) and [8, 16).
__device__ inline FragmentA round_to_a(const FragmentC& left, const FragmentC& right) {
  return {{pack_bf16(left.x[0], left.x[1]), pack_bf16(left.x[2], left.x[3]),
           pack_bf16(right.x[0], right.x[1]), pack_bf16(right.x[2], right.x[3])}};
}

// Rows of E numbers in shared memory. Pieces of 16 bytes are permuted within a row by its number, so
// that the eight rows that a warp reads at once lie in different banks.
template <int E>
struct SharedTile {
  static constexpr int pieces = E / 8;
  static constexpr int row_bytes = E * 2;

  std::uint32_t address;  // in shared memory

  __device__ std::uint32_t piece(int row, int index) const {
    return address + row * row_bytes + ((index ^ (row & 7)) << 4);
  }

  // Begins to copy rows [0, count) of `x`, `stride` numbers apart; the others of `rows` become zero.
  // By a block of `threads`.
  template <int rows, int threads>
  __device__ void start_copy(const __nv_bfloat16* x, std::int64_t stride, int count) const {
#pragma unroll
    for (int i = threadIdx.x; i < rows * pieces; i += threads) {
      const int row = i / pieces;
      const int index = i % pieces;
      const int bytes = row < count ? 16 : 0;
      const __nv_bfloat16* from = x + (row < count ? row : 0) * stride + index * 8;
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(piece(row, index)),
                   "l"(from), "r"(bytes));
    }
  }

  // A of rows [row, row + 16) and columns [column, column + 16).
  __device__ FragmentA load_a(int row, int column) const {
    const int lane = threadIdx.x % 32;
    FragmentA a;
    load_four(a.word, piece(row + lane % 16, column / 8 + lane / 16));
    return a;
  }

  // Two Bs whose columns are the tile's rows [row, row + 8) and [row + 8, row + 16), and whose rows
  // are its columns [column, column + 16): for products with the tile's transpose.
  __device__ void load_b_transposed(FragmentB (&b)[2], int row, int column) const {
    const int lane = threadIdx.x % 32;
    std::uint32_t words[4];
    load_four(words, piece(row + lane / 16 * 8 + lane % 8, column / 8 + lane / 8 % 2));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

  // Two Bs whose rows are the tile's rows [row, row + 16), and whose columns are its columns
  // [column, column + 8) and [column + 8, column + 16): for products with the tile itself.
  __device__ void load_b(FragmentB (&b)[2], int row, int column) const {
    const int lane = threadIdx.x % 32;
    std::uint32_t words[4];
    const std::uint32_t place = piece(row + lane / 8 % 2 * 8 + lane % 8, column / 8 + lane / 16);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(place));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

 private:
  static __device__ void load_four(std::uint32_t (&words)[4], std::uint32_t place) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(place));
  }
};

// One number of 4 bytes, or zero.
__device__ inline void start_copy_float(std::uint32_t place, const float* from, bool is_there) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(place), "l"(from),
               "r"(is_there ? 4 : 0));
}

// Copies begun so far belong to one group; wait for all groups but the newest `pending`.
__device__ inline void end_copy_group() {
  asm volatile("cp.async.commit_group;\n");
}
template <int pending>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(pending));
}

__device__ inline std::uint32_t shared_address(const void* x) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(x));
}

}  // namespace lmpo::cuda

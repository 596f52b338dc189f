// Tiles of bfloat16 in shared memory and the tensor cores' 16 x 8 x 16 products over them.
//
// A fragment is a warp's share of a matrix. With g = lane / 4 and t = lane % 4 (PTX, mma.m16n8k16):
//   A[16,16]  rows g and g + 8, columns 2t, 2t + 1 and those plus 8     four words of two numbers
//   B[16,8]   rows 2t, 2t + 1 and those plus 8, column g                two words
//   C[16,8]   rows g and g + 8, columns 2t, 2t + 1                      four float32
// So C of two neighbouring products, rounded, is A of the next.
#pragma once

#include <cstdint>

#include "ops/cuda/language.cuh"

namespace lmpo::cuda {

struct FragmentA {
  std::uint32_t word[4];
};
struct FragmentB {
  std::uint32_t word[2];
};
struct alignas(16) FragmentC {
  float x[4];
};

__device__ inline void multiply_add(FragmentC& c, const FragmentA& a, const FragmentB& b) {
  multiply_16x8x16(c.x, a.word, b.word);
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

// Rows of E numbers in shared memory, in pieces of 16 bytes. The eight rows that a warp reads at once
// lie in different banks: pieces are permuted within a row by its number; or, of sizes that do not
// allow that, rows are an odd number of pieces apart.
//
// The permutation is an exclusive or of bits below the row's. So of a fragment's place the lane's
// part is computed once (LanePlaces), and what remains of row and column is a constant.
template <int E>
struct SharedTile {
  static constexpr int kPieces = E / 8;
  static constexpr bool kPermutes = kPieces % 8 == 0;
  static constexpr int kRowBytes = (kPermutes ? kPieces : kPieces | 1) * 16;

  std::uint32_t address;  // in shared memory, a multiple of 16 or, where it permutes, of kRowBytes

  static __device__ std::uint32_t place(int row, int piece) {
    return row * kRowBytes + ((kPermutes ? piece ^ (row & 7) : piece) << 4);
  }

  // Begins to copy the numbers at x + offset_of(row) to each of these rows; those whose offset is
  // below 0 become zero. By a block of `threads`.
  template <int rows, int threads, typename Offset>
  __device__ void start_copy(const __nv_bfloat16* x, const Offset& offset_of) const {
    static_assert(rows * kPieces % threads == 0);
    if constexpr (threads % (kPieces * 8) == 0) {
      // A thread's rows are a multiple of eight apart: of equal permutation.
      constexpr int kAtOnce = threads / kPieces;
      const int first = static_cast<int>(threadIdx.x) / kPieces;
      const int piece = static_cast<int>(threadIdx.x) % kPieces;
      const std::uint32_t to = address + place(first, piece);
#pragma unroll
      for (int i = 0; i < rows / kAtOnce; ++i) {
        const std::int64_t offset = offset_of(first + i * kAtOnce);
        start_copy_16(to + i * kAtOnce * kRowBytes, x + (offset < 0 ? 0 : offset) + piece * 8,
                      offset >= 0);
      }
    } else {
#pragma unroll
      for (int i = 0; i < rows * kPieces / threads; ++i) {
        const int item = static_cast<int>(threadIdx.x) + i * threads;
        const int row = item / kPieces;
        const int piece = item % kPieces;
        const std::int64_t offset = offset_of(row);
        start_copy_16(address + place(row, piece), x + (offset < 0 ? 0 : offset) + piece * 8,
                      offset >= 0);
      }
    }
  }
  // The same for rows [0, count), `stride` numbers apart.
  template <int rows, int threads>
  __device__ void start_copy(const __nv_bfloat16* x, std::int64_t stride, int count) const {
    start_copy<rows, threads>(
        x, [&](int row) { return row < count ? row * stride : std::int64_t{-1}; });
  }

  // The lane's part of the places of fragments.
  struct LanePlaces {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t b_transposed;

    __device__ LanePlaces() {
      const int lane = static_cast<int>(threadIdx.x) % 32;
      a = place(lane % 16, lane / 16);
      b = place(lane / 8 % 2 * 8 + lane % 8, lane / 16);
      b_transposed = place(lane / 16 * 8 + lane % 8, lane / 8 % 2);
    }
  };

  // A of rows [row, row + 16) and columns [column, column + 16); multiples of 8 and of 16, here and
  // below.
  __device__ FragmentA load_a(const LanePlaces& lane, int row, int column) const {
    FragmentA a;
    load_matrices(a.word, at(lane.a, row, column));
    return a;
  }

  // Two Bs whose columns are the tile's rows [row, row + 8) and [row + 8, row + 16), and whose rows
  // are its columns [column, column + 16): for products with the tile's transpose.
  __device__ void load_b_transposed(FragmentB (&b)[2], const LanePlaces& lane, int row,
                                    int column) const {
    std::uint32_t words[4];
    load_matrices(words, at(lane.b_transposed, row, column));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

  // Two Bs whose rows are the tile's rows [row, row + 16), and whose columns are its columns
  // [column, column + 8) and [column + 8, column + 16): for products with the tile itself.
  __device__ void load_b(FragmentB (&b)[2], const LanePlaces& lane, int row, int column) const {
    std::uint32_t words[4];
    load_matrices_transposed(words, at(lane.b, row, column));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

 private:
  __device__ std::uint32_t at(std::uint32_t lane_place, int row, int column) const {
    const std::uint32_t place = address + lane_place;
    return (kPermutes ? place ^ (column * 2) : place + column * 2) + row * kRowBytes;
  }
};

}  // namespace lmpo::cuda

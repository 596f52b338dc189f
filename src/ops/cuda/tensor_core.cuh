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

// Rows of E numbers in shared memory. Pieces of 16 bytes are permuted within a row by its number,
// so that the eight rows that a warp reads at once lie in different banks.
//
// The permutation is an exclusive or of bits below the row's. So of a fragment's place the lane's
// part is computed once (LanePlaces), and what remains of row and column is a constant.
template <int E>
struct SharedTile {
  static constexpr int pieces = E / 8;
  static constexpr int row_bytes = E * 2;

  std::uint32_t address;  // in shared memory, a multiple of row_bytes

  static __device__ std::uint32_t place(int row, int piece) {
    return row * row_bytes + ((piece ^ (row & 7)) << 4);
  }

  // Begins to copy the numbers at x + offset_of(row) to each of these rows; those whose offset is
  // below 0 become zero. By a block of `threads`.
  template <int rows, int threads, typename Offset>
  __device__ void start_copy(const __nv_bfloat16* x, const Offset& offset_of) const {
    constexpr int at_once = threads / pieces;
    static_assert(at_once % 8 == 0 && rows % at_once == 0);
    const int first = static_cast<int>(threadIdx.x) / pieces;
    const int piece = static_cast<int>(threadIdx.x) % pieces;
    const std::uint32_t to = address + place(first, piece);
#pragma unroll
    for (int i = 0; i < rows / at_once; ++i) {
      const std::int64_t offset = offset_of(first + i * at_once);
      asm volatile(
          "cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to + i * at_once * row_bytes),
          "l"(x + (offset < 0 ? 0 : offset) + piece * 8), "r"(offset < 0 ? 0 : 16));
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
    load_four(a.word, at(lane.a, row, column));
    return a;
  }

  // Two Bs whose columns are the tile's rows [row, row + 8) and [row + 8, row + 16), and whose rows
  // are its columns [column, column + 16): for products with the tile's transpose.
  __device__ void load_b_transposed(FragmentB (&b)[2], const LanePlaces& lane, int row,
                                    int column) const {
    std::uint32_t words[4];
    load_four(words, at(lane.b_transposed, row, column));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

  // Two Bs whose rows are the tile's rows [row, row + 16), and whose columns are its columns
  // [column, column + 8) and [column + 8, column + 16): for products with the tile itself.
  __device__ void load_b(FragmentB (&b)[2], const LanePlaces& lane, int row, int column) const {
    std::uint32_t words[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(at(lane.b, row, column)));
    b[0] = {{words[0], words[1]}};
    b[1] = {{words[2], words[3]}};
  }

 private:
  __device__ std::uint32_t at(std::uint32_t lane_place, int row, int column) const {
    return ((address + lane_place) ^ (column * 2)) + row * row_bytes;
  }
  static __device__ void load_four(std::uint32_t (&words)[4], std::uint32_t place) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(place));
  }
};

// 2^x, to two roundings or so; what is below the smallest normal number becomes zero.
__device__ inline float fast_exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}

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

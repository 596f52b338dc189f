// Dot products of some rows of w with a few rows of x: the inner part of independent_rows.cpp, compiled
// for one kind of processor in each row_tile_*.cpp.
//
// A sum along the inner dimension has one order, whatever is computed beside it: lane by lane, then
// the lanes. Vectors are the compilers' own, so that the code is the same for every width. Nothing
// inline from elsewhere is called here: the linker might keep the copy that was compiled for another
// processor.
#pragma once

#include <cstdint>

namespace lmpo::cpu {

// Rows of w that are multiplied side by side.
constexpr std::int64_t kTileOutputs = 4;
// The most rows of x.
constexpr std::int64_t kTileInputs = 6;
// The most terms of a sum that are added in one step.
constexpr std::int64_t kTileTerms = 32;
// How far ahead of its use w is fetched.
constexpr std::int64_t kRowsAhead = 8;

struct RowTile {
  float* sums;  // [inputs, outputs] +=; outputs are rounded up to whole tiles
  std::int64_t sums_stride;
  const void* w;
  std::int64_t outputs;
  std::int64_t w_stride;  // elements from row to row
  const void* x;
  std::int64_t inputs;
  std::int64_t x_stride;
  std::int64_t terms;  // of a sum, a multiple of kTileTerms
  bool fetch;          // whether w comes from memory, so that the rows below are asked for early
};

using RowKernel = void (*)(const RowTile& tile);

// Of one kind of processor. Null: it has none, or this program was compiled for another kind.
struct RowKernels {
  RowKernel f32 = nullptr;    // x float32, w float32
  RowKernel bf16 = nullptr;   // x float32, w bfloat16
  RowKernel i8 = nullptr;     // x float32, w int8
  RowKernel pairs = nullptr;  // x and w bfloat16
  // x bfloat16, w int8: the sums of `pairs`, to the bit.
  RowKernel byte_pairs = nullptr;
  std::int64_t inputs = 0;  // rows of x, at most kTileInputs, that are multiplied side by side
};

extern const RowKernels kPlainRowKernels;
extern const RowKernels kAvx2RowKernels;
extern const RowKernels kAvx512RowKernels;
extern const RowKernel kBf16RowKernel;       // `pairs`
extern const RowKernel kBytesBf16RowKernel;  // `byte_pairs`

namespace row_tile {

using Floats4 = float __attribute__((vector_size(16)));
using Floats8 = float __attribute__((vector_size(32)));
using Floats16 = float __attribute__((vector_size(64)));

template <typename Vector>
[[gnu::always_inline]] inline Vector read(const void* p) {
  Vector vector;
  __builtin_memcpy(&vector, p, sizeof vector);
  return vector;
}

// What each of four vectors sums to. Halves are added, so that the lanes stay full.
[[gnu::always_inline]] inline Floats4 totals(const Floats4& a, const Floats4& b, const Floats4& c,
                                             const Floats4& d) {
  const Floats4 ab =
      __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  const Floats4 cd =
      __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}
[[gnu::always_inline]] inline Floats4 totals(const Floats8& a, const Floats8& b, const Floats8& c,
                                             const Floats8& d) {
  const Floats8 ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
                     __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  const Floats8 cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 8, 9, 10, 11) +
                     __builtin_shufflevector(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
  // In each half of four lanes: two of a or b, two of c or d.
  const Floats8 pairs = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
                        __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(pairs, pairs, 0, 4, 2, 6) +
         __builtin_shufflevector(pairs, pairs, 1, 5, 3, 7);
}
#ifdef __AVX512F__
[[gnu::always_inline]] inline Floats4 totals(const Floats16& a, const Floats16& b,
                                             const Floats16& c, const Floats16& d) {
#define LMPO_LOW 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define LMPO_HIGH 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
  const Floats16 ab =
      __builtin_shufflevector(a, b, LMPO_LOW) + __builtin_shufflevector(a, b, LMPO_HIGH);
  const Floats16 cd =
      __builtin_shufflevector(c, d, LMPO_LOW) + __builtin_shufflevector(c, d, LMPO_HIGH);
#undef LMPO_LOW
#undef LMPO_HIGH
  // Four lanes of each.
  const Floats16 fours =
      __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
      __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  const Floats16 twos = fours + __builtin_shufflevector(fours, fours, 2, 3, 0, 1, 6, 7, 4, 5, 10,
                                                        11, 8, 9, 14, 15, 12, 13);
  const Floats16 ones = twos + __builtin_shufflevector(twos, twos, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11,
                                                       10, 13, 12, 15, 14);
  return __builtin_shufflevector(ones, ones, 0, 4, 8, 12);
}
#endif

// Step says how the terms of one step are read and added:
//   Sums               a vector of float
//   X, W               the elements of x and w
//   kTerms             how many terms a step has
//   x(p), w(p)         reads them
//   add(sums, x, w)    adds their products
//
// `ahead`: elements from a row to the one that is fetched meanwhile. Processors see by themselves
// that rows are read in order, but not in time.
template <typename Step, int inputs, bool fetch>
[[gnu::always_inline]] inline void multiply_tile(float* sums, std::int64_t sums_stride,
                                                 const typename Step::W* const* w,
                                                 std::int64_t ahead, const typename Step::X* x,
                                                 std::int64_t x_stride, std::int64_t terms) {
  typename Step::Sums lanes[inputs][kTileOutputs] = {};
  constexpr int kSecondCache = 2;
  for (std::int64_t i = 0; i < terms; i += Step::kTerms) {
    if constexpr (fetch) {
#pragma GCC unroll 4
      for (int s = 0; s < kTileOutputs; ++s) {
        __builtin_prefetch(w[s] + ahead + i, 0, kSecondCache);
      }
    }
    const auto w0 = Step::w(w[0] + i);
    const auto w1 = Step::w(w[1] + i);
    const auto w2 = Step::w(w[2] + i);
    const auto w3 = Step::w(w[3] + i);
#pragma GCC unroll 6
    for (int t = 0; t < inputs; ++t) {
      const auto value = Step::x(x + t * x_stride + i);
      Step::add(lanes[t][0], value, w0);
      Step::add(lanes[t][1], value, w1);
      Step::add(lanes[t][2], value, w2);
      Step::add(lanes[t][3], value, w3);
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < inputs; ++t) {
    float* row = sums + t * sums_stride;
    const Floats4 total =
        read<Floats4>(row) + totals(lanes[t][0], lanes[t][1], lanes[t][2], lanes[t][3]);
    __builtin_memcpy(row, &total, sizeof total);
  }
}

// All rows of w of a RowTile with `inputs` rows of x.
template <typename Step, int inputs, bool fetch>
[[gnu::noinline]] void multiply_rows_of(const RowTile& tile) {
  const auto* w = static_cast<const typename Step::W*>(tile.w);
  for (std::int64_t o = 0; o < tile.outputs; o += kTileOutputs) {
    const typename Step::W* rows[kTileOutputs];
    for (std::int64_t s = 0; s < kTileOutputs; ++s) {
      // Where there is no such row, the last one again; nobody reads the sum.
      rows[s] = w + (o + s < tile.outputs ? o + s : tile.outputs - 1) * tile.w_stride;
    }
    multiply_tile<Step, inputs, fetch>(
        tile.sums + o, tile.sums_stride, rows, kRowsAhead * tile.w_stride,
        static_cast<const typename Step::X*>(tile.x), tile.x_stride, tile.terms);
  }
}

template <typename Step, int most>
void fetch_and_multiply(const RowTile& tile) {
  if constexpr (most > 1) {
    if (tile.inputs < most) {
      fetch_and_multiply<Step, most - 1>(tile);
      return;
    }
  }
  multiply_rows_of<Step, most, true>(tile);
}

// A RowKernel for at most `most` rows of x. Needless fetching is not worth more code for fewer.
template <typename Step, int most>
void multiply_tiles(const RowTile& tile) {
  if (tile.inputs == most && !tile.fetch) {
    multiply_rows_of<Step, most, false>(tile);
  } else {
    fetch_and_multiply<Step, most>(tile);
  }
}

// x is float32 and w is widened to it. Vectors has vectors of the same number of elements, Floats,
// Words (32-bit) and Halves (16-bit); from_bytes(), which widens int8; and add_products(), which says
// itself whether a product is rounded before it is added: a compiler might decide from case to case.
template <typename Vectors, typename Element>
struct Widened {
  using Floats = typename Vectors::Floats;
  using Sums = Floats;
  using X = float;
  using W = Element;
  static constexpr int kTerms = sizeof(Floats) / sizeof(float);

  [[gnu::always_inline]] static inline Floats x(const float* p) { return read<Floats>(p); }
  [[gnu::always_inline]] static inline Floats w(const float* p) { return read<Floats>(p); }
  [[gnu::always_inline]] static inline Floats w(const std::uint16_t* p) {
    using Words = typename Vectors::Words;
    const auto words = __builtin_convertvector(read<typename Vectors::Halves>(p), Words) << 16;
    return read<Floats>(&words);
  }
  [[gnu::always_inline]] static inline Floats w(const std::int8_t* p) {
    return Vectors::from_bytes(p);
  }
  [[gnu::always_inline]] static inline void add(Floats& sums, const Floats& x, const Floats& w) {
    Vectors::add_products(sums, x, w);
  }
};

// `most` rows of x side by side.
template <typename Vectors, int most>
constexpr RowKernels kernels_of() {
  return {multiply_tiles<Widened<Vectors, float>, most>,
          multiply_tiles<Widened<Vectors, std::uint16_t>, most>,
          multiply_tiles<Widened<Vectors, std::int8_t>, most>,
          nullptr,
          nullptr,
          most};
}

}  // namespace row_tile
}  // namespace lmpo::cpu

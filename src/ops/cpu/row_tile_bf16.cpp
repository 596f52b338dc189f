// For processors that multiply pairs of bfloat16.
#include "ops/cpu/row_tile.h"

#ifdef __AVX512BF16__

#include <immintrin.h>

namespace lmpo::cpu {
namespace {

// Each lane adds the products of two neighbours.
struct Pairs {
  using Sums = __m512;
  using X = std::uint16_t;
  using W = std::uint16_t;
  static constexpr int kTerms = 32;

  static __m512bh x(const std::uint16_t* p) { return row_tile::read<__m512bh>(p); }
  static __m512bh w(const std::uint16_t* p) { return row_tile::read<__m512bh>(p); }
  static void add(__m512& sums, const __m512bh& x, const __m512bh& w) {
    sums = _mm512_dpbf16_ps(sums, x, w);
  }
};

// w is widened where it is used: bfloat16 holds every int8.
struct BytePairs : Pairs {
  using W = std::int8_t;

  static __m512 floats(const std::int8_t* p) {
    constexpr __mmask16 kAll = 0xFFFF;  // masked as in row_tile_avx512.cpp
    const __m512i words = _mm512_maskz_cvtepi8_epi32(kAll, row_tile::read<__m128i>(p));
    return _mm512_maskz_cvtepi32_ps(kAll, words);
  }
  static __m512bh w(const std::int8_t* p) {
    return _mm512_cvtne2ps_pbh(floats(p + kTerms / 2), floats(p));
  }
};

}  // namespace

const RowKernel kBf16RowKernel = row_tile::multiply_tiles<Pairs, kTileInputs>;
const RowKernel kBytesBf16RowKernel = row_tile::multiply_tiles<BytePairs, kTileInputs>;

}  // namespace lmpo::cpu

#else

namespace lmpo::cpu {

const RowKernel kBf16RowKernel = nullptr;
const RowKernel kBytesBf16RowKernel = nullptr;

}  // namespace lmpo::cpu

#endif

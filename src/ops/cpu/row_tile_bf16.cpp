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

}  // namespace

const RowKernel kBf16RowKernel = row_tile::multiply_tiles<Pairs, kTileInputs>;

}  // namespace lmpo::cpu

#else

namespace lmpo::cpu {

const RowKernel kBf16RowKernel = nullptr;

}  // namespace lmpo::cpu

#endif

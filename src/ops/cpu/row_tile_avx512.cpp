// For processors with AVX-512.
#include "ops/cpu/row_tile.h"

#ifdef __AVX512F__

#include <immintrin.h>

namespace lmpo::cpu {
namespace {

struct Avx512 {
  using Floats = __m512;
  using Words = std::uint32_t __attribute__((vector_size(64)));
  using Halves = std::uint16_t __attribute__((vector_size(32)));

  static Floats from_bytes(const std::int8_t* p) {
    // Masked, because GCC 12 warns of how its header writes the plain ones.
    constexpr __mmask16 kAll = 0xFFFF;
    const __m512i words = _mm512_maskz_cvtepi8_epi32(kAll, row_tile::read<__m128i>(p));
    return _mm512_maskz_cvtepi32_ps(kAll, words);
  }
  static void add_products(Floats& sums, const Floats& x, const Floats& w) {
    sums = _mm512_fmadd_ps(x, w, sums);
  }
};

}  // namespace

const RowKernels kAvx512RowKernels = row_tile::kernels_of<Avx512, kTileInputs>();

}  // namespace lmpo::cpu

#else

namespace lmpo::cpu {

const RowKernels kAvx512RowKernels;

}  // namespace lmpo::cpu

#endif

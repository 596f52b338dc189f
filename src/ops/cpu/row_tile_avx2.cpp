// For processors with AVX2.
#include "ops/cpu/row_tile.h"

#ifdef __AVX2__

#include <immintrin.h>

namespace lmpo::cpu {
namespace {

struct Avx2 {
  using Floats = __m256;
  using Words = std::uint32_t __attribute__((vector_size(32)));
  using Halves = std::uint16_t __attribute__((vector_size(16)));

  static Floats from_bytes(const std::int8_t* p) {
    return _mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(row_tile::read<long long>(p))));
  }
  static void add_products(Floats& sums, const Floats& x, const Floats& w) {
    sums = _mm256_fmadd_ps(x, w, sums);
  }
};

}  // namespace

const RowKernels kAvx2RowKernels = row_tile::kernels_of<Avx2, 2>();

}  // namespace lmpo::cpu

#else

namespace lmpo::cpu {

const RowKernels kAvx2RowKernels;

}  // namespace lmpo::cpu

#endif

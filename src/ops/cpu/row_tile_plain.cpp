// For every processor.
#include "ops/cpu/row_tile.h"

namespace lmpo::cpu {
namespace {

struct Plain {
  using Floats = row_tile::Floats4;
  using Words = std::uint32_t __attribute__((vector_size(16)));
  using Halves = std::uint16_t __attribute__((vector_size(8)));

  static Floats from_bytes(const std::int8_t* p) {
    return Floats{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]),
                  static_cast<float>(p[3])};
  }
  static void add_products(Floats& sums, const Floats& x, const Floats& w) { sums += x * w; }
};

}  // namespace

const RowKernels kPlainRowKernels = row_tile::kernels_of<Plain, 2>();

}  // namespace lmpo::cpu

#include <algorithm>
#include <array>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// Columns at a time, so that a bias of any storage is widened on the stack.
constexpr std::int64_t kTile = 256;

LMPO_VECTOR void add_to(float* __restrict out, const float* __restrict in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] += in[i];
  }
}

// body(column, count) for all tiles, by all threads: a column belongs to one of them.
template <typename Body>
void for_tiles(std::int64_t width, const Body& body) {
  parallel_each((width + kTile - 1) / kTile, [&](std::int64_t index) {
    body(index * kTile, std::min(kTile, width - index * kTile));
  });
}

}  // namespace

void CpuOps::run(const BiasForward& op) {
  const std::int64_t rows = op.y.dim(0);
  const std::int64_t width = op.y.dim(1);
  LMPO_CHECK(has_shape(op.y, {rows, width}) && has_shape(op.b, {width}));
  for_tiles(width, [&](std::int64_t column, std::int64_t count) {
    std::array<float, kTile> buffer;
    const float* bias = cpu::as_f32(op.b, column, count, buffer.data());
    for (std::int64_t row = 0; row < rows; ++row) {
      add_to(op.y.f32() + row * width + column, bias, count);
    }
  });
}

void CpuOps::run(const BiasBackward& op) {
  const std::int64_t rows = op.dy.dim(0);
  const std::int64_t width = op.dy.dim(1);
  LMPO_CHECK(has_shape(op.dy, {rows, width}) && has_shape(op.db, {width}));
  // Every column's sum goes over all rows in order, whichever thread computes it.
  for_tiles(width, [&](std::int64_t column, std::int64_t count) {
    std::array<float, kTile> sums{};
    for (std::int64_t row = 0; row < rows; ++row) {
      add_to(sums.data(), op.dy.f32() + row * width + column, count);
    }
    add_to(op.db.f32() + column, sums.data(), count);
  });
}

}  // namespace lmpo

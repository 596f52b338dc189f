// Movement of elements and rows, and their multiples.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/elements.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// Elements for which waking a thread pays.
constexpr std::int64_t kGrain = 1 << 14;

LMPO_VECTOR void add_to(float* out, const float* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] += in[i];
  }
}

void copy_bytes(void* out, const void* in, std::size_t bytes) {
  parallel_for(static_cast<std::int64_t>(bytes), 4 * kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 std::memcpy(static_cast<char*>(out) + begin, static_cast<const char*>(in) + begin,
                             static_cast<std::size_t>(end - begin));
               });
}

// body(row) for all rows of this width.
template <typename Body>
void for_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  parallel_for(rows, kGrain / std::max<std::int64_t>(width, 1) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   body(row);
                 }
               });
}

void check_indices(Tensor indices, std::int64_t limit) {
  const std::int32_t* index = indices.i32();
  LMPO_CHECK(std::all_of(index, index + indices.elements(),
                         [&](std::int32_t i) { return i >= 0 && i < limit; }));
}

}  // namespace

void CpuOps::upload(Tensor device, const void* host) {
  copy_bytes(device.data(), host, device.bytes());
}

void CpuOps::download(void* host, Tensor device) {
  copy_bytes(host, device.data(), device.bytes());
}

void CpuOps::run(const Zero& op) {
  parallel_for(static_cast<std::int64_t>(op.x.bytes()), 4 * kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 std::memset(static_cast<char*>(op.x.data()) + begin, 0,
                             static_cast<std::size_t>(end - begin));
               });
}

void CpuOps::run(const Copy& op) {
  LMPO_CHECK(op.out.same_shape(op.in) && op.out.dtype() == op.in.dtype());
  copy_bytes(op.out.data(), op.in.data(), op.in.bytes());
}

void CpuOps::run(const Cast& op) {
  LMPO_CHECK(op.out.same_shape(op.in));
  parallel_for(op.in.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::array<float, 1024> buffer;
    for (std::int64_t i = begin; i < end; i += 1024) {
      const std::int64_t count = std::min<std::int64_t>(1024, end - i);
      cpu::narrow(op.out, i, cpu::as_f32(op.in, i, count, buffer.data()), count);
    }
  });
}

void CpuOps::run(const Scale& op) {
  LMPO_CHECK(op.y.same_shape(op.x));
  float* y = op.y.f32();
  const float* x = op.x.f32();
  parallel_for(op.x.elements(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    (op.accumulate ? cpu::add_scaled : cpu::scale)(y + begin, x + begin, op.factor, end - begin);
  });
}

void CpuOps::run(const EmbeddingForward& op) {
  const std::int64_t width = op.table.dim(1);
  LMPO_CHECK(has_shape(op.y, {op.tokens.dim(0), width}) &&
             op.scales.empty() == (op.table.dtype() != Dtype::i8));
  check_indices(op.tokens, op.table.dim(0));
  for_rows(op.y.dim(0), width, [&](std::int64_t row) {
    const std::int64_t token = op.tokens.i32()[row];
    float* y = op.y.f32() + row * width;
    cpu::widen(y, op.table, token * width, width);
    if (!op.scales.empty()) {
      cpu::scale(y, y, op.scales.f32()[token], width);
    }
  });
}

void CpuOps::run(const EmbeddingBackward& op) {
  const std::int64_t width = op.dtable.dim(1);
  LMPO_CHECK(has_shape(op.dy, {op.tokens.dim(0), width}));
  check_indices(op.tokens, op.dtable.dim(0));
  // A token may come twice, so threads share the columns and not the rows.
  parallel_for(width, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < op.dy.dim(0); ++row) {
      add_to(op.dtable.f32() + op.tokens.i32()[row] * width + begin,
             op.dy.f32() + row * width + begin, end - begin);
    }
  });
}

void CpuOps::run(const GatherRows& op) {
  const std::int64_t width = op.x.dim(1);
  LMPO_CHECK(has_shape(op.y, {op.rows.dim(0), width}));
  check_indices(op.rows, op.x.dim(0));
  for_rows(op.y.dim(0), width, [&](std::int64_t row) {
    std::copy_n(op.x.f32() + op.rows.i32()[row] * width, width, op.y.f32() + row * width);
  });
}

void CpuOps::run(const ScatterRows& op) {
  const std::int64_t width = op.dx.dim(1);
  LMPO_CHECK(has_shape(op.dy, {op.rows.dim(0), width}));
  check_indices(op.rows, op.dx.dim(0));
  run(Zero{.x = op.dx});
  for_rows(op.dy.dim(0), width, [&](std::int64_t row) {
    std::copy_n(op.dy.f32() + row * width, width, op.dx.f32() + op.rows.i32()[row] * width);
  });
}

}  // namespace lmpo

// Movement of elements and rows.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

// Elements for which waking a thread pays.
constexpr std::int64_t grain = 1 << 14;

LMPO_VECTOR void add_to(float* out, const float* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] += in[i];
  }
}

void copy_bytes(void* out, const void* in, std::size_t bytes) {
  parallel_for(static_cast<std::int64_t>(bytes), 4 * grain,
               [&](std::int64_t begin, std::int64_t end) {
                 std::memcpy(static_cast<char*>(out) + begin, static_cast<const char*>(in) + begin,
                             static_cast<std::size_t>(end - begin));
               });
}

// body(row) for all rows of this width.
template <typename Body>
void for_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  parallel_for(rows, grain / std::max<std::int64_t>(width, 1) + 1,
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

void CpuOps::zero(Tensor x) {
  parallel_for(
      static_cast<std::int64_t>(x.bytes()), 4 * grain, [&](std::int64_t begin, std::int64_t end) {
        std::memset(static_cast<char*>(x.data()) + begin, 0, static_cast<std::size_t>(end - begin));
      });
}

void CpuOps::copy(Tensor out, Tensor in) {
  LMPO_CHECK(out.same_shape(in) && out.dtype() == in.dtype());
  copy_bytes(out.data(), in.data(), in.bytes());
}

void CpuOps::cast(Tensor out, Tensor in) {
  LMPO_CHECK(out.same_shape(in));
  parallel_for(in.elements(), grain, [&](std::int64_t begin, std::int64_t end) {
    std::array<float, 1024> buffer;
    for (std::int64_t i = begin; i < end; i += 1024) {
      const std::int64_t count = std::min<std::int64_t>(1024, end - i);
      cpu::narrow(out, i, cpu::as_f32(in, i, count, buffer.data()), count);
    }
  });
}

void CpuOps::add(Tensor out, Tensor in) {
  LMPO_CHECK(out.same_shape(in));
  parallel_for(in.elements(), grain, [&](std::int64_t begin, std::int64_t end) {
    add_to(out.f32() + begin, in.f32() + begin, end - begin);
  });
}

void CpuOps::embedding_forward(Tensor y, Tensor table, Tensor tokens) {
  const std::int64_t width = table.dim(1);
  LMPO_CHECK(has_shape(y, {tokens.dim(0), width}));
  check_indices(tokens, table.dim(0));
  for_rows(y.dim(0), width, [&](std::int64_t row) {
    cpu::widen(y.f32() + row * width, table, tokens.i32()[row] * width, width);
  });
}

void CpuOps::embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) {
  const std::int64_t width = dtable.dim(1);
  LMPO_CHECK(has_shape(dy, {tokens.dim(0), width}));
  check_indices(tokens, dtable.dim(0));
  // A token may come twice, so threads share the columns and not the rows.
  parallel_for(width, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < dy.dim(0); ++row) {
      add_to(dtable.f32() + tokens.i32()[row] * width + begin, dy.f32() + row * width + begin,
             end - begin);
    }
  });
}

void CpuOps::gather_rows(Tensor y, Tensor x, Tensor rows) {
  const std::int64_t width = x.dim(1);
  LMPO_CHECK(has_shape(y, {rows.dim(0), width}));
  check_indices(rows, x.dim(0));
  for_rows(y.dim(0), width, [&](std::int64_t row) {
    std::copy_n(x.f32() + rows.i32()[row] * width, width, y.f32() + row * width);
  });
}

void CpuOps::scatter_rows(Tensor dx, Tensor dy, Tensor rows) {
  const std::int64_t width = dx.dim(1);
  LMPO_CHECK(has_shape(dy, {rows.dim(0), width}));
  check_indices(rows, dx.dim(0));
  zero(dx);
  for_rows(dy.dim(0), width, [&](std::int64_t row) {
    std::copy_n(dy.f32() + row * width, width, dx.f32() + rows.i32()[row] * width);
  });
}

}  // namespace lmpo

#include "io/store_floats.h"

#include <cmath>
#include <cstring>

#include "base/error.h"

namespace lmpo {
namespace {

// What is at least this rounds to infinity in float16: half a step above its largest, 65504.
constexpr float float16_overflow = 65520;

template <typename T, typename Round>
void store(std::span<const float> values, std::span<std::byte> out, Round&& round) {
  LMPO_CHECK(out.size() == values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T rounded = round(values[i]);
    std::memcpy(out.data() + i * sizeof(T), &rounded, sizeof(T));
  }
}

}  // namespace

void store_floats(std::span<const float> values, Dtype dtype, std::span<std::byte> out,
                  std::string_view tensor) {
  switch (dtype) {
    case Dtype::f32:
      return store<float>(values, out, [](float value) { return value; });
    case Dtype::bf16:
      return store<bfloat16>(values, out, to_bfloat16);
    case Dtype::f16:
      return store<float16>(values, out, [&](float value) {
        if (std::isfinite(value) && std::fabs(value) >= float16_overflow) {
          user_error("tensor '{}' holds {}, too large for float16; choose bfloat16 or float32",
                     tensor, value);
        }
        return to_float16(value);
      });
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::i8:
    case Dtype::u8:
      broken_invariant("a floating-point type", __FILE__, __LINE__);
  }
}

}  // namespace lmpo

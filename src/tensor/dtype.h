// Storage types and the exact conversions between them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lmpo {

enum class Dtype : std::uint8_t { f32, bf16, f16, i32, i16, u8 };

std::size_t dtype_size(Dtype dtype);
std::string_view dtype_name(
    Dtype dtype);  // "float32", "bfloat16", "float16", "int32", "int16", "uint8"
// Accepts torch's names and the short ones (fp32, bf16, fp16). Throws UserError.
Dtype parse_dtype(std::string_view name);

// A bfloat16 and a float16 as their 16 bits.
struct bfloat16 {
  std::uint16_t bits;
};
struct float16 {
  std::uint16_t bits;
};

inline float to_float(float value) {
  return value;
}
inline float to_float(bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}
float to_float(float16 value);

// Rounds to the nearest, ties to even; NaN stays NaN.
bfloat16 to_bfloat16(float value);
float16 to_float16(float value);

// A float32 kept as a bfloat16 for the arithmetic and the 16 bits it lacks:
//   bits(float) = (high << 16) + low, low as a signed number,
// so high is the float rounded to nearest, ties away from zero, and nothing is lost.
struct SplitFloat {
  bfloat16 high;
  std::int16_t low;
};
inline SplitFloat split_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto low = static_cast<std::int16_t>(static_cast<std::uint16_t>(bits));
  const std::uint32_t high =
      (bits - static_cast<std::uint32_t>(static_cast<std::int32_t>(low))) >> 16;
  return {{static_cast<std::uint16_t>(high)}, low};
}
inline float join_float(SplitFloat split) {
  return std::bit_cast<float>((static_cast<std::uint32_t>(split.high.bits) << 16) +
                              static_cast<std::uint32_t>(static_cast<std::int32_t>(split.low)));
}

}  // namespace lmpo

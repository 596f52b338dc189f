// Storage types and the exact conversions between them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lmpo {

enum class Dtype : std::uint8_t { f32, bf16, f16, i32, i16, i8, u8 };

std::size_t dtype_size(Dtype dtype);
// "float32", "bfloat16", "float16", "int32", "int16", "int8", "uint8".
std::string_view dtype_name(Dtype dtype);
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

// A float32 as the bfloat16 that it rounds to and the 16 bits that this one lacks:
//
//   bits(float) = (high << 16) + low, with a signed low
//
// Exact, but for ties that round towards zero: they lie 2^15 above high, and low holds at most
// 2^15 - 1. They become the next float32 towards zero. NaN stays NaN.
struct SplitFloat {
  bfloat16 high;
  std::int16_t low;
};
inline SplitFloat split_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U;
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  const std::uint32_t high = nan ? (bits & 0xFFFF0000U) | 0x400000U : rounded;
  const auto exact = nan ? 0 : static_cast<std::int32_t>(bits - high);
  const std::int32_t low = exact > 0x7FFF ? 0x7FFF : exact;
  return {{static_cast<std::uint16_t>(high >> 16)}, static_cast<std::int16_t>(low)};
}
inline float join_float(SplitFloat split) {
  return std::bit_cast<float>((static_cast<std::uint32_t>(split.high.bits) << 16) +
                              static_cast<std::uint32_t>(static_cast<std::int32_t>(split.low)));
}

}  // namespace lmpo

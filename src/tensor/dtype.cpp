#include "tensor/dtype.h"

#include <cmath>

#include "base/error.h"

namespace lmpo {

std::size_t dtype_size(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
    case Dtype::i32:
      return 4;
    case Dtype::bf16:
    case Dtype::f16:
    case Dtype::i16:
      return 2;
    case Dtype::i8:
    case Dtype::u8:
      return 1;
  }
  return 0;
}

std::string_view dtype_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return "float32";
    case Dtype::bf16:
      return "bfloat16";
    case Dtype::f16:
      return "float16";
    case Dtype::i32:
      return "int32";
    case Dtype::i16:
      return "int16";
    case Dtype::i8:
      return "int8";
    case Dtype::u8:
      return "uint8";
  }
  return "";
}

Dtype parse_dtype(std::string_view name) {
  if (name.starts_with("torch.")) {
    name.remove_prefix(6);
  }
  if (name == "float32" || name == "fp32" || name == "float") {
    return Dtype::f32;
  }
  if (name == "bfloat16" || name == "bf16") {
    return Dtype::bf16;
  }
  if (name == "float16" || name == "fp16" || name == "half") {
    return Dtype::f16;
  }
  user_error("dtype '{}' is not known: float32, bfloat16 or float16 was expected", name);
}

float to_float(float16 value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1F;
  const std::uint32_t mantissa = value.bits & 0x3FF;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1.0p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1F ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

bfloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) {
    return {static_cast<std::uint16_t>((bits >> 16) | 0x40)};
  }
  return {static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)};
}

float16 to_float16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {  // NaN
    return {static_cast<std::uint16_t>(sign | 0x7E00)};
  }
  if (magnitude >= 0x477FF000) {  // rounds past the largest finite value
    return {static_cast<std::uint16_t>(sign | 0x7C00)};
  }
  if (magnitude < 0x38800000) {  // subnormal: round |value| * 2^24 to the nearest, ties to even
    const float scaled = std::bit_cast<float>(magnitude) * 0x1.0p24F;
    return {static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(scaled)))};
  }
  const std::uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  return {
      static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>((rounded - 0x38000000) >> 13))};
}

}  // namespace lmpo

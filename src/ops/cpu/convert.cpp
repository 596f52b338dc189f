#include "ops/cpu/convert.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "base/error.h"
#include "ops/cpu/vector.h"

namespace lmpo::cpu {
namespace {

LMPO_VECTOR void widen_bf16(float* out, const bfloat16* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = to_float(in[i]);
  }
}

LMPO_VECTOR void widen_i8(float* out, const std::int8_t* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<float>(in[i]);
  }
}

// The conversions of dtype.h without branches, so that they vectorise.
LMPO_VECTOR void widen_f16(float* out, const float16* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t sign = static_cast<std::uint32_t>(in[i].bits & 0x8000U) << 16;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(in[i].bits & 0x7FFFU) << 13;
    // Read as a float32 the exponent is 112 too small; the product is exact, subnormals included.
    const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1.0p112F);
    const std::uint32_t special = magnitude | 0x7F800000U;
    out[i] = std::bit_cast<float>(sign | (magnitude >= 0x0F800000U ? special : finite));
  }
}

LMPO_VECTOR void narrow_f16(float16* out, const float* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(in[i]);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    const std::uint32_t normal =
        (magnitude + 0xFFFU + ((magnitude >> 13) & 1U) - 0x38000000U) >> 13;
    // Adding one half leaves a multiple of 2^-24, rounded, in the low bits.
    const std::uint32_t subnormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
    std::uint32_t half = magnitude < 0x38800000U ? subnormal : normal;
    half = magnitude >= 0x477FF000U ? 0x7C00U : half;
    half = magnitude > 0x7F800000U ? 0x7E00U : half;
    out[i].bits = static_cast<std::uint16_t>(((bits >> 16) & 0x8000U) | half);
  }
}

}  // namespace

LMPO_VECTOR void narrow_bf16(bfloat16* out, const float* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(in[i]);
    const std::uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
    const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
    out[i].bits = static_cast<std::uint16_t>((nan ? bits | 0x400000U : rounded) >> 16);
  }
}

void widen(float* out, Tensor in, std::int64_t begin, std::int64_t count) {
  switch (in.dtype()) {
    case Dtype::f32:
      std::copy_n(in.f32() + begin, count, out);
      return;
    case Dtype::bf16:
      widen_bf16(out, in.bf16() + begin, count);
      return;
    case Dtype::f16:
      widen_f16(out, in.f16() + begin, count);
      return;
    case Dtype::i8:
      widen_i8(out, in.i8() + begin, count);
      return;
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::u8:
      break;
  }
  throw std::logic_error("convert: not a floating-point tensor");
}

const float* as_f32(Tensor in, std::int64_t begin, std::int64_t count, float* buffer) {
  if (in.dtype() == Dtype::f32) {
    return in.f32() + begin;
  }
  widen(buffer, in, begin, count);
  return buffer;
}

void narrow(Tensor out, std::int64_t begin, const float* in, std::int64_t count) {
  switch (out.dtype()) {
    case Dtype::f32:
      std::copy_n(in, count, out.f32() + begin);
      return;
    case Dtype::bf16:
      narrow_bf16(out.bf16() + begin, in, count);
      return;
    case Dtype::f16:
      narrow_f16(out.f16() + begin, in, count);
      return;
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::i8:
    case Dtype::u8:
      break;
  }
  throw std::logic_error("convert: not a floating-point tensor");
}

}  // namespace lmpo::cpu

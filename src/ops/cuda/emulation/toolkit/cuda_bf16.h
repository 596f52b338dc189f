// CUDA's bfloat16, as far as the program uses it, for an emulated GPU.
#pragma once

#include "tensor/dtype.h"

// NOLINTBEGIN(bugprone-reserved-identifier): CUDA's own names
struct __nv_bfloat16 {
  std::uint16_t bits;
};
struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x;
  __nv_bfloat16 y;
};

inline float __bfloat162float(__nv_bfloat16 x) {
  return lmpo::to_float(lmpo::bfloat16{x.bits});
}
inline __nv_bfloat16 __float2bfloat16_rn(float x) {
  return {lmpo::to_bfloat16(x).bits};
}
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
  return {__float2bfloat16_rn(x), __float2bfloat16_rn(y)};
}
// NOLINTEND(bugprone-reserved-identifier)

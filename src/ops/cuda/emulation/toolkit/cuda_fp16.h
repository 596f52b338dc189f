// CUDA's float16, as far as the program uses it, for an emulated GPU.
#pragma once

#include "tensor/dtype.h"

// NOLINTBEGIN(bugprone-reserved-identifier): CUDA's own names
struct __half {
  std::uint16_t bits;
};

inline float __half2float(__half x) {
  return lmpo::to_float(lmpo::float16{x.bits});
}
inline __half __float2half_rn(float x) {
  return {lmpo::to_float16(x).bits};
}
// NOLINTEND(bugprone-reserved-identifier)

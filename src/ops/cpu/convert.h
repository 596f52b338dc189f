// Between the storage types and the float32 that the CPU computes in.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace lmpo::cpu {

// out[count] = elements [begin, begin + count) of a float32, bfloat16, float16 or int8 tensor.
void widen(float* out, Tensor in, std::int64_t begin, std::int64_t count);
// The same without a copy where the storage is float32 already; else through `buffer` [count].
const float* as_f32(Tensor in, std::int64_t begin, std::int64_t count, float* buffer);
// The first element of a float32 matrix whose rows are row_stride() apart: for ops that take columns.
inline float* strided_f32(Tensor x) {
  LMPO_CHECK(x.dtype() == Dtype::f32);
  return static_cast<float*>(x.strided_data());
}
// Elements [begin, begin + count) of a tensor = in[count], rounded to nearest, ties to even.
void narrow(Tensor out, std::int64_t begin, const float* in, std::int64_t count);
void narrow_bf16(bfloat16* out, const float* in, std::int64_t count);

}  // namespace lmpo::cpu

#include "ops/cpu/elements.h"

#include "ops/cpu/vector.h"

namespace lmpo::cpu {

LMPO_VECTOR void scale(float* out, const float* in, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = factor * in[i];
  }
}

LMPO_VECTOR void add_scaled(float* out, const float* in, float factor, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] += factor * in[i];
  }
}

LMPO_VECTOR void cap(float* x, float softcap, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] = softcap * tanh(x[i] / softcap);
  }
}

}  // namespace lmpo::cpu

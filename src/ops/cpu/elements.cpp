#include "ops/cpu/elements.h"

#include <limits>

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

LMPO_VECTOR float largest(const float* x, std::int64_t count) {
  float result = std::numeric_limits<float>::lowest();
#pragma omp simd reduction(max : result)
  for (std::int64_t i = 0; i < count; ++i) {
    result = result < x[i] ? x[i] : result;
  }
  return result;
}

LMPO_VECTOR bool all_finite(const float* x, std::int64_t count) {
  float zero = 0.0F;
#pragma omp simd reduction(+ : zero)
  for (std::int64_t i = 0; i < count; ++i) {
    zero += 0.0F * x[i];
  }
  return zero == 0.0F;
}

LMPO_VECTOR float exponentiate(float* x, float maximum, std::int64_t count) {
  float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] = exp(x[i] - maximum);
    sum += x[i];
  }
  return sum;
}

}  // namespace lmpo::cpu

#include "ops/cpu/few_rows.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/vector.h"

namespace lmpo::cpu {
namespace {

// Rows of w that are read side by side, so that more than one stream of memory is under way.
constexpr std::int64_t kSideBySide = 4;

// sums[s] = x . w[s], for kSideBySide rows of w.
template <typename T>
[[gnu::always_inline]] inline void dots(float* __restrict sums, const float* __restrict x,
                                        const T* __restrict w, std::int64_t in) {
  const T* w1 = w + in;
  const T* w2 = w1 + in;
  const T* w3 = w2 + in;
  float sum0 = 0;
  float sum1 = 0;
  float sum2 = 0;
  float sum3 = 0;
#pragma omp simd reduction(+ : sum0, sum1, sum2, sum3)
  for (std::int64_t i = 0; i < in; ++i) {
    const float value = x[i];
    sum0 += value * to_float(w[i]);
    sum1 += value * to_float(w1[i]);
    sum2 += value * to_float(w2[i]);
    sum3 += value * to_float(w3[i]);
  }
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

LMPO_VECTOR void dots_of(float* sums, const float* x, const float* w, std::int64_t in) {
  dots(sums, x, w, in);
}

LMPO_VECTOR void dots_of(float* sums, const float* x, const bfloat16* w, std::int64_t in) {
  dots(sums, x, w, in);
}

template <typename T>
[[gnu::always_inline]] inline float dot(const float* __restrict x, const T* __restrict w,
                                        std::int64_t in) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < in; ++i) {
    sum += x[i] * to_float(w[i]);
  }
  return sum;
}

LMPO_VECTOR float dot_of(const float* x, const float* w, std::int64_t in) {
  return dot(x, w, in);
}

LMPO_VECTOR float dot_of(const float* x, const bfloat16* w, std::int64_t in) {
  return dot(x, w, in);
}

template <typename T>
void multiply(Tensor y, Tensor x, const T* w, bool accumulate) {
  const std::int64_t in = x.dim(1);
  const std::int64_t out = y.dim(1);
  const float* inputs = strided_f32(x);
  float* results = strided_f32(y);
  parallel_for(out, 64, [&](std::int64_t begin, std::int64_t end) {
    float sums[kSideBySide];
    for (std::int64_t o = begin; o < end; o += kSideBySide) {
      const std::int64_t count = std::min(kSideBySide, end - o);
      for (std::int64_t t = 0; t < x.dim(0); ++t) {
        const float* row = inputs + t * x.row_stride();
        if (count == kSideBySide) {
          dots_of(sums, row, w + o * in, in);
        } else {
          for (std::int64_t s = 0; s < count; ++s) {
            sums[s] = dot_of(row, w + (o + s) * in, in);
          }
        }
        float* result = results + t * y.row_stride() + o;
        for (std::int64_t s = 0; s < count; ++s) {
          result[s] = accumulate ? result[s] + sums[s] : sums[s];
        }
      }
    }
  });
}

}  // namespace

void multiply_few_rows(Tensor y, Tensor x, Tensor w, bool accumulate) {
  LMPO_CHECK(x.dim(0) <= kFewRows);
  if (w.dtype() == Dtype::bf16) {
    multiply(y, x, w.bf16(), accumulate);
  } else {
    multiply(y, x, w.f32(), accumulate);
  }
}

}  // namespace lmpo::cpu

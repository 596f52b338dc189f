// Vectorised loops over elements that several ops share, by the calling thread.
#pragma once

#include <cstdint>

namespace lmpo::cpu {

// out[count] = factor in[count]; out may be in, here and below.
void scale(float* out, const float* in, float factor, std::int64_t count);
// out[count] += factor in[count].
void add_scaled(float* out, const float* in, float factor, std::int64_t count);
// x[count] = softcap tanh(x / softcap).
void cap(float* x, float softcap, std::int64_t count);
// The largest of x[count]; the lowest number where count is 0.
float largest(const float* x, std::int64_t count);
// Whether none is infinite or NaN.
bool all_finite(const float* x, std::int64_t count);
// x[count] = exp(x - maximum); returns the sum.
float exponentiate(float* x, float maximum, std::int64_t count);

}  // namespace lmpo::cpu

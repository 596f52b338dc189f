// What the vectorised loops share.
//
// LMPO_VECTOR goes before a plain loop in a function of its own: the function is compiled once for
// each level of x86-64 and the best one is chosen when the program is loaded. Sanitizers do not
// survive such functions, and a build for one processor does not need them.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__AVX2__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LMPO_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LMPO_VECTOR
#endif

namespace lmpo::cpu {

// exp(x) to about one unit in the last place, with overflow to infinity, gradual underflow and NaN
// as usual. The C library's does not vectorise. Cody and Waite: exp(x) = 2^n exp(r), |r| <=
// ln(2)/2.
[[gnu::always_inline]] inline float exp(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0x1.63p-1F;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kShift = 0x1.8p23F;  // adding it leaves the nearest integer in the low bits
  // Beyond these the result is 0 or infinity; written so that NaN stays NaN.
  float t = x > 89.0F ? 89.0F : x;
  t = t < -104.0F ? -104.0F : t;
  const float shifted = t * kLog2E + kShift;
  const float n = shifted - kShift;
  const float r = (t - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float exp_r = (p * r * r + r) + 1.0F;
  // 2^n in two factors: n goes from -150 to 128, beyond what one exponent field holds.
  const auto exponent = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) -
                                                  std::bit_cast<std::uint32_t>(kShift));
  const std::int32_t half = exponent >> 1;
  const auto power = [](std::int32_t e) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(e + 127) << 23);
  };
  return exp_r * power(half) * power(exponent - half);
}

// tanh(x) to about two units in the last place (Cephes: a polynomial near 0, exp beyond).
[[gnu::always_inline]] inline float tanh(float x) {
  const float z = x * x;
  float p = -5.70498872745e-3F;
  p = p * z + 2.06390887954e-2F;
  p = p * z - 5.37397155531e-2F;
  p = p * z + 1.33314422036e-1F;
  p = p * z - 3.33332819422e-1F;
  const float near = x + x * z * p;
  const float magnitude = x < 0.0F ? -x : x;
  const float far = 1.0F - 2.0F / (exp(2.0F * magnitude) + 1.0F);
  return magnitude < 0.625F ? near : x < 0.0F ? -far : far;
}

// Gradients need no care for overflow: exp saturates and the quotient goes to 0 or 1.
[[gnu::always_inline]] inline float sigmoid(float x) {
  return 1.0F / (1.0F + exp(-x));
}

}  // namespace lmpo::cpu

#include "ops/cpu/vector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lmpo::cpu::vector_test {
namespace {

// Distance in units of the last place of the exact value.
double error_in_ulps(float actual, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  const double ulp = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::abs(static_cast<double>(actual) - exact) / ulp;
}

TEST(Vector, ExpIsAccurateEverywhere) {
  double worst = 0.0;
  for (const float sign : {1.0F, -1.0F}) {
    for (std::uint32_t bits = 0; bits < std::bit_cast<std::uint32_t>(150.0F); bits += 499) {
      const float x = sign * std::bit_cast<float>(bits);
      const double exact = std::exp(static_cast<double>(x));
      if (exact < static_cast<double>(std::numeric_limits<float>::max())) {
        worst = std::max(worst, error_in_ulps(exp(x), exact));
      } else {
        ASSERT_TRUE(std::isinf(exp(x))) << x;
      }
    }
  }
  EXPECT_LT(worst, 1.5);
}

TEST(Vector, TanhIsAccurateEverywhere) {
  double worst = 0.0;
  for (const float sign : {1.0F, -1.0F}) {
    for (std::uint32_t bits = 0; bits < std::bit_cast<std::uint32_t>(100.0F); bits += 499) {
      const float x = sign * std::bit_cast<float>(bits);
      worst = std::max(worst, error_in_ulps(tanh(x), std::tanh(static_cast<double>(x))));
    }
  }
  EXPECT_LT(worst, 2.5);
}

TEST(Vector, ExpKeepsSpecialValues) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exp(0.0F), 1.0F);
  EXPECT_EQ(exp(-kInfinity), 0.0F);
  EXPECT_EQ(exp(std::numeric_limits<float>::lowest()), 0.0F);
  EXPECT_EQ(exp(kInfinity), kInfinity);
  EXPECT_EQ(exp(std::numeric_limits<float>::max()), kInfinity);
  EXPECT_TRUE(std::isnan(exp(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(sigmoid(-kInfinity), 0.0F);
  EXPECT_EQ(sigmoid(kInfinity), 1.0F);
  EXPECT_EQ(tanh(kInfinity), 1.0F);
  EXPECT_EQ(tanh(-kInfinity), -1.0F);
  EXPECT_TRUE(std::isnan(tanh(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace lmpo::cpu::vector_test

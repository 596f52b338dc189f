#include "ops/cpu/elements.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace lmpo::cpu::elements_test {
namespace {

TEST(Elements, OneThatIsNotFiniteIsSeenAnywhere) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (std::int64_t count = 0; count <= 70; ++count) {
    std::vector<float> x(static_cast<std::size_t>(count), std::numeric_limits<float>::max());
    EXPECT_TRUE(all_finite(x.data(), count));
    for (float& one : x) {
      for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
        one = bad;
        EXPECT_FALSE(all_finite(x.data(), count));
      }
      one = -0.0F;
    }
  }
}

}  // namespace
}  // namespace lmpo::cpu::elements_test

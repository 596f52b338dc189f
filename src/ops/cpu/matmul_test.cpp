#include "ops/cpu/matmul.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/random.h"
#include "base/threads.h"

namespace lmpo::cpu::matmul_test {
namespace {

std::vector<float> random_floats(std::int64_t count, Random& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(random.normal());
  }
  return values;
}

struct Operand {
  std::vector<float> data;
  std::int64_t stride;
  bool transposed;

  // op(x)[row, column]
  double at(std::int64_t row, std::int64_t column) const {
    const std::int64_t index = transposed ? column * stride + row : row * stride + column;
    return static_cast<double>(data[static_cast<std::size_t>(index)]);
  }
};

// `spare`: elements between the rows.
Operand random_operand(std::int64_t rows, std::int64_t columns, bool transposed, std::int64_t spare,
                       Random& random) {
  const std::int64_t stride = (transposed ? rows : columns) + spare;
  return {random_floats(stride * (transposed ? columns : rows), random), stride, transposed};
}

class MatmulTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(available_threads()); }
};
INSTANTIATE_TEST_SUITE_P(Threads, MatmulTest, ::testing::Values(1, 2, 3, 4, 7));

// Every panel of every cut is computed once, in its place, and what lies between the rows stays.
TEST_P(MatmulTest, EqualsTheFormula) {
  Random random(5, 0);
  const std::int64_t sizes[][3] = {{1, 700, 600}, {700, 1, 600}, {65, 67, 90}, {33, 400, 30},
                                   {5, 5, 0},     {2, 1, 1},     {1, 3, 1},    {2, 1, 5},
                                   {1, 1, 4},     {3, 4, 1}};
  for (const auto& [m, n, k] : sizes) {
    for (const int variant : {0, 1, 2, 3, 4, 5, 6, 7}) {
      SCOPED_TRACE(::testing::Message() << m << " x " << n << " x " << k << ", " << variant);
      const std::int64_t spare = (variant & 4) != 0 ? 3 : 0;
      const Operand a = random_operand(m, k, (variant & 1) != 0, spare, random);
      const Operand b = random_operand(k, n, (variant & 2) != 0, spare, random);
      const std::int64_t stride = n + spare;
      const std::vector<float> before = random_floats(m * stride, random);
      for (const float beta : {0.0F, 1.0F, -0.5F}) {
        std::vector<float> c = before;
        matmul({a.transposed ? Transpose::yes : Transpose::no,
                b.transposed ? Transpose::yes : Transpose::no, m, n, k, 1.5F, a.data.data(),
                a.stride, b.data.data(), b.stride, beta, c.data(), stride});
        for (std::size_t i = 0; i < c.size(); ++i) {
          const std::int64_t row = static_cast<std::int64_t>(i) / stride;
          const std::int64_t column = static_cast<std::int64_t>(i) % stride;
          double expected = static_cast<double>(before[i]);
          if (column < n) {
            expected *= static_cast<double>(beta);
            for (std::int64_t j = 0; j < k; ++j) {
              expected += 1.5 * a.at(row, j) * b.at(j, column);
            }
          }
          ASSERT_NEAR(static_cast<double>(c[i]), expected, 2e-4);
        }
      }
    }
  }
}

TEST_P(MatmulTest, BetaZeroDoesNotReadTheResult) {
  const std::vector<float> ones(200 * 200, 1.0F);
  std::vector<float> c(200 * 200, std::numeric_limits<float>::quiet_NaN());
  matmul({Transpose::no, Transpose::no, 200, 200, 200, 1.0F, ones.data(), 200, ones.data(), 200,
          0.0F, c.data(), 200});
  EXPECT_EQ(c, std::vector<float>(200 * 200, 200.0F));
}

}  // namespace
}  // namespace lmpo::cpu::matmul_test

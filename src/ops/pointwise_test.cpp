#include "ops/reference/pointwise.h"

#include "ops/testing/ops_test.h"

namespace lmpo::testing {
namespace {

class NormTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, NormTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(NormTest, ForwardAndBackward) {
  const std::int64_t sizes[][2] = {{1, 1},    {1, 8},    {5, 255}, {9, 257},
                                   {70, 600}, {3, 2100}, {2, 8192}};
  constexpr float eps = 1e-5F;
  for (const auto& [rows, width] : sizes) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << width);
    const Filled x = random(compute(), {rows, width}, 3.0);
    const Filled w = random(storage(), {width});
    const Filled dy = random(compute(), {rows, width});
    const Tensor y = poisoned(compute(), {rows, width});
    const Tensor rstd = poisoned(Dtype::f32, {rows});
    ops().rmsnorm_forward(y, rstd, x.tensor, w.tensor, eps);
    const auto epsilon = static_cast<double>(eps);
    expect_close(y, reference::rmsnorm(x.values, w.values, rows, epsilon));

    const Filled dx = random(compute(), {rows, width});
    const Filled dw = random(Dtype::f32, {width});
    ops().rmsnorm_backward(dx.tensor, dw.tensor, dy.tensor, x.tensor, w.tensor, rstd);
    expect_gradient(
        dx.tensor, x.values, dy.values,
        [&, rows = rows](const std::vector<Complex>& point) {
          return reference::rmsnorm(point, {w.values.begin(), w.values.end()}, rows, epsilon);
        },
        dx.values);
    expect_gradient(
        dw.tensor, w.values, dy.values,
        [&, rows = rows](const std::vector<Complex>& point) {
          return reference::rmsnorm({x.values.begin(), x.values.end()}, point, rows, epsilon);
        },
        dw.values);
  }
}

TEST_P(NormTest, ZeroRowStaysZero) {
  const Filled x = filled(compute(), {1, 4}, {0.0, 0.0, 0.0, 0.0});
  const Filled w = random(storage(), {4});
  const Tensor y = poisoned(compute(), {1, 4});
  const Tensor rstd = poisoned(Dtype::f32, {1});
  ops().rmsnorm_forward(y, rstd, x.tensor, w.tensor, 1e-6F);
  expect_close(read(y), {0.0, 0.0, 0.0, 0.0}, 0.0);
  EXPECT_NEAR(read(rstd)[0], 1e3, 1e-2);
}

class SwigluTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, SwigluTest, ::testing::ValuesIn(every_device()), case_name);

TEST_P(SwigluTest, ForwardAndBackward) {
  const std::int64_t sizes[][2] = {{1, 1}, {3, 7}, {40, 129}};
  for (const auto& [rows, width] : sizes) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << width);
    const Filled x = random(compute(), {rows, 2 * width}, 3.0);
    const Filled dy = random(compute(), {rows, width});
    const Tensor y = poisoned(compute(), {rows, width});
    ops().swiglu_forward(y, x.tensor);
    expect_close(y, reference::swiglu(x.values, rows, width));
    const Tensor dx = poisoned(compute(), {rows, 2 * width});
    const Tensor again = poisoned(compute(), {rows, width});
    ops().swiglu_backward(dx, again, dy.tensor, x.tensor);
    EXPECT_EQ(read(again), read(y));
    expect_gradient(dx, x.values, dy.values,
                    [rows = rows, width = width](const std::vector<Complex>& point) {
                      return reference::swiglu(point, rows, width);
                    });
  }
}

TEST_P(SwigluTest, SaturatesForLargeGates) {
  const Filled x = filled(compute(), {1, 8}, {1e4, -1e4, 100.0, -100.0, 2.0, 2.0, 2.0, 2.0});
  const Filled dy = filled(compute(), {1, 4}, {1.0, 1.0, 1.0, 1.0});
  const Tensor y = poisoned(compute(), {1, 4});
  ops().swiglu_forward(y, x.tensor);
  expect_close(y, {2.0 * x.values[0], 0.0, 2.0 * x.values[2], 0.0});
  const Tensor dx = poisoned(compute(), {1, 8});
  ops().swiglu_backward(dx, y, dy.tensor, x.tensor);
  expect_close(dx, {2.0, 0.0, 2.0, 0.0, x.values[0], 0.0, x.values[2], 0.0});
}

}  // namespace
}  // namespace lmpo::testing

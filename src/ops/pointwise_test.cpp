#include "ops/reference/pointwise.h"

#include "ops/testing/ops_test.h"

namespace lmpo::testing {
namespace {

class NormTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, NormTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(NormTest, ForwardAndBackward) {
  struct Case {
    std::int64_t rows;
    std::int64_t width;
    float offset;
  };
  constexpr Case cases[] = {{1, 1, 0},    {1, 8, 1},    {5, 255, 0},  {9, 257, 1},
                            {70, 600, 0}, {70, 600, 1}, {3, 2100, 0}, {2, 8192, 1}};
  constexpr float kEps = 1e-5F;
  for (const auto& [rows, width, offset] : cases) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << width << ", offset " << offset);
    const Filled x = random(compute(), {rows, width}, 3.0);
    const Filled w = random(storage(), {width});
    const Filled dy = random(compute(), {rows, width});
    const Tensor y = poisoned(compute(), {rows, width});
    const Tensor rstd = poisoned(Dtype::f32, {rows});
    ops().run(RmsNormForward{
        .y = y, .rstd = rstd, .x = x.tensor, .w = w.tensor, .eps = kEps, .offset = offset});
    const auto norm = [rows = rows, offset = static_cast<double>(offset)](const auto& x_values,
                                                                          const auto& weights) {
      return reference::rmsnorm(x_values, weights, rows, static_cast<double>(kEps), offset);
    };
    expect_close(y, norm(x.values, w.values));

    const Filled dx = random(compute(), {rows, width});
    const Filled dw = random(Dtype::f32, {width});
    ops().run(RmsNormBackward{.dx = dx.tensor,
                              .dw = dw.tensor,
                              .dy = dy.tensor,
                              .x = x.tensor,
                              .w = w.tensor,
                              .rstd = rstd,
                              .offset = offset});
    const std::vector<Complex> fixed_x(x.values.begin(), x.values.end());
    const std::vector<Complex> fixed_w(w.values.begin(), w.values.end());
    expect_gradient(
        dx.tensor, x.values, dy.values,
        [&](const std::vector<Complex>& point) { return norm(point, fixed_w); }, dx.values);
    expect_gradient(
        dw.tensor, w.values, dy.values,
        [&](const std::vector<Complex>& point) { return norm(fixed_x, point); }, dw.values);
  }
}

// A frozen norm: nothing but dw is left out.
TEST_P(NormTest, BackwardWithoutTheWeightsGradient) {
  const Filled x = random(compute(), {9, 257});
  const Filled w = random(storage(), {257});
  const Filled dy = random(compute(), {9, 257});
  const Filled rstd = random(Dtype::f32, {9});
  const Filled dw = random(Dtype::f32, {257});
  const auto dx_with = [&](Tensor weight_gradient) {
    const Tensor dx = filled(compute(), {9, 257}, dy.values).tensor;
    ops().run(RmsNormBackward{.dx = dx,
                              .dw = weight_gradient,
                              .dy = dy.tensor,
                              .x = x.tensor,
                              .w = w.tensor,
                              .rstd = rstd.tensor});
    return read(dx);
  };
  EXPECT_EQ(dx_with({}), dx_with(dw.tensor));
}

TEST_P(NormTest, ZeroRowStaysZero) {
  const Filled x = filled(compute(), {1, 4}, {0.0, 0.0, 0.0, 0.0});
  const Filled w = random(storage(), {4});
  const Tensor y = poisoned(compute(), {1, 4});
  const Tensor rstd = poisoned(Dtype::f32, {1});
  ops().run(RmsNormForward{.y = y, .rstd = rstd, .x = x.tensor, .w = w.tensor, .eps = 1e-6F});
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
    ops().run(GluForward{.y = y, .gate_up = x.tensor});
    expect_close(y, reference::swiglu(x.values, rows, width));
    const Tensor dx = poisoned(compute(), {rows, 2 * width});
    const Tensor again = poisoned(compute(), {rows, width});
    ops().run(GluBackward{.dgate_up = dx, .y = again, .dy = dy.tensor, .gate_up = x.tensor});
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
  ops().run(GluForward{.y = y, .gate_up = x.tensor});
  expect_close(y, {2.0 * x.values[0], 0.0, 2.0 * x.values[2], 0.0});
  const Tensor dx = poisoned(compute(), {1, 8});
  ops().run(GluBackward{.dgate_up = dx, .y = y, .dy = dy.tensor, .gate_up = x.tensor});
  expect_close(dx, {2.0, 0.0, 2.0, 0.0, x.values[0], 0.0, x.values[2], 0.0});
}

}  // namespace
}  // namespace lmpo::testing

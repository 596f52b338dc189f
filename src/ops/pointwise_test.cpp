#include "ops/reference/pointwise.h"

#include "ops/testing/columns_test.h"

namespace lmpo::testing::pointwise_test {
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

// Groups of columns, normalized each by itself, in columns of a wider tensor: q of [q | k | v].
class NormColumnsTest : public ColumnsTest {
 protected:
  struct Case {
    std::int64_t rows;
    std::int64_t groups;
    std::int64_t width;
    float offset;
  };
  static constexpr Case kCases[] = {{7, 1, 257, 1},  {5, 3, 6, 1},   {9, 4, 64, 0},
                                    {40, 3, 128, 1}, {3, 2, 256, 0}, {4, 2, 300, 1},
                                    {2, 3, 512, 0},  {3, 2, 2100, 1}};
  static constexpr float kEps = 1e-5F;

  template <typename S>
  static std::vector<S> norm(const Case& c, const std::vector<S>& x, const std::vector<S>& w) {
    return reference::rmsnorm(x, w, c.rows * c.groups, static_cast<double>(kEps),
                              static_cast<double>(c.offset));
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, NormColumnsTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(NormColumnsTest, ForwardOfGroupsInPlaceAndAdded) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(::testing::Message() << c.rows << " x " << c.groups << " x " << c.width);
    const std::int64_t columns = c.groups * c.width;
    const Filled x = random(compute(), {c.rows, columns}, 3.0);
    const Filled w = random(storage(), {c.width});
    const Filled y = random(compute(), {c.rows, columns});
    const Wide wide_x = widened(x);
    const Wide wide_y = widened(y);
    const Tensor rstd = poisoned(Dtype::f32, {c.rows, c.groups});
    RmsNormForward op{.y = wide_y.columns,
                      .rstd = rstd,
                      .x = wide_x.columns,
                      .w = w.tensor,
                      .eps = kEps,
                      .offset = c.offset,
                      .accumulate = true};
    ops().run(op);
    const std::vector<double> expected = norm(c, x.values, w.values);
    std::vector<double> sums = expected;
    std::transform(sums.begin(), sums.end(), y.values.begin(), sums.begin(), std::plus<>());
    expect_close(inner(wide_y), sums);
    op.accumulate = false;
    ops().run(op);
    expect_close(inner(wide_y), expected);
    op.y = wide_x.columns;
    ops().run(op);
    expect_close(inner(wide_x), expected);
  }
}

TEST_P(NormColumnsTest, BackwardOfGroupsInPlaceAndAdded) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(::testing::Message() << c.rows << " x " << c.groups << " x " << c.width);
    const std::int64_t columns = c.groups * c.width;
    const Filled x = random(compute(), {c.rows, columns}, 3.0);
    const Filled w = random(storage(), {c.width});
    const Filled dy = random(compute(), {c.rows, columns});
    const Filled dx = random(compute(), {c.rows, columns});
    const Wide wide_x = widened(x);
    const Wide wide_dy = widened(dy);
    const Wide wide_dx = widened(dx);
    const Tensor rstd = poisoned(Dtype::f32, {c.rows, c.groups});
    ops().run(RmsNormForward{.y = poisoned(compute(), {c.rows, columns}),
                             .rstd = rstd,
                             .x = wide_x.columns,
                             .w = w.tensor,
                             .eps = kEps,
                             .offset = c.offset});
    const std::vector<Complex> fixed_x(x.values.begin(), x.values.end());
    const std::vector<Complex> fixed_w(w.values.begin(), w.values.end());
    const auto of_x = [&](const std::vector<Complex>& point) { return norm(c, point, fixed_w); };
    const auto of_w = [&](const std::vector<Complex>& point) { return norm(c, fixed_x, point); };
    const auto run = [&](Tensor result, bool accumulate) {
      const Filled dw = random(Dtype::f32, {c.width});
      ops().run(RmsNormBackward{.dx = result,
                                .dw = dw.tensor,
                                .dy = wide_dy.columns,
                                .x = wide_x.columns,
                                .w = w.tensor,
                                .rstd = rstd,
                                .offset = c.offset,
                                .accumulate = accumulate});
      expect_gradient(dw.tensor, w.values, dy.values, of_w, dw.values, 2);
    };
    run(wide_dx.columns, true);
    expect_gradient(inner(wide_dx), x.values, dy.values, of_x, dx.values, 3);
    run(wide_dx.columns, false);
    expect_gradient(inner(wide_dx), x.values, dy.values, of_x, {}, 3);
    run(wide_dy.columns, false);
    expect_gradient(inner(wide_dy), x.values, dy.values, of_x, {}, 3);
  }
}

TEST_P(NormColumnsTest, RefusesAWidthThatIsNotOfWholeGroups) {
  const Tensor x = random(compute(), {2, 10}).tensor;
  const Tensor w = random(storage(), {4}).tensor;
  const Tensor rstd = poisoned(Dtype::f32, {2, 2});
  EXPECT_THROW(ops().run(RmsNormForward{.y = x, .rstd = rstd, .x = x, .w = w, .eps = kEps}),
               std::logic_error);
}

class ScaleTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, ScaleTest, ::testing::ValuesIn(every_device()), case_name);

TEST_P(ScaleTest, MultipliesAndAdds) {
  for (const std::int64_t count : {1, 7, 1024, 40001}) {
    const Filled x = random(compute(), {1, count});
    const Filled y = random(compute(), {1, count});
    std::vector<double> sums;
    std::vector<double> products;
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      products.push_back(-0.25 * x.values[i]);
      sums.push_back(y.values[i] + products.back());
    }
    ops().run(Scale{.y = y.tensor, .x = x.tensor, .factor = -0.25F, .accumulate = true});
    expect_close(y.tensor, sums);
    ops().run(Scale{.y = y.tensor, .x = x.tensor, .factor = -0.25F});
    expect_close(y.tensor, products);
    ops().run(Scale{.y = x.tensor, .x = x.tensor, .factor = -0.25F});
    expect_close(x.tensor, products);
  }
}

class GluTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, GluTest, ::testing::ValuesIn(every_device()), case_name);

TEST_P(GluTest, ForwardAndBackward) {
  const std::int64_t sizes[][2] = {{1, 1}, {3, 7}, {40, 129}};
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    for (const auto& [rows, width] : sizes) {
      SCOPED_TRACE(::testing::Message() << rows << " x " << width);
      const Filled x = random(compute(), {rows, 2 * width}, 3.0);
      const Filled dy = random(compute(), {rows, width});
      const Tensor y = poisoned(compute(), {rows, width});
      ops().run(GluForward{.y = y, .gate_up = x.tensor, .activation = activation});
      expect_close(y, reference::glu(x.values, rows, width, activation));
      const Tensor dx = poisoned(compute(), {rows, 2 * width});
      const Tensor again = poisoned(compute(), {rows, width});
      ops().run(GluBackward{.dgate_up = dx,
                            .y = again,
                            .dy = dy.tensor,
                            .gate_up = x.tensor,
                            .activation = activation});
      EXPECT_EQ(read(again), read(y));
      expect_gradient(dx, x.values, dy.values,
                      [&, rows = rows, width = width](const std::vector<Complex>& point) {
                        return reference::glu(point, rows, width, activation);
                      });
    }
  }
}

TEST_P(GluTest, SaturatesForLargeGates) {
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    const Filled x = filled(compute(), {1, 8}, {1e4, -1e4, 100.0, -100.0, 2.0, 2.0, 2.0, 2.0});
    const Filled dy = filled(compute(), {1, 4}, {1.0, 1.0, 1.0, 1.0});
    const Tensor y = poisoned(compute(), {1, 4});
    ops().run(GluForward{.y = y, .gate_up = x.tensor, .activation = activation});
    expect_close(y, {2.0 * x.values[0], 0.0, 2.0 * x.values[2], 0.0});
    const Tensor dx = poisoned(compute(), {1, 8});
    ops().run(GluBackward{
        .dgate_up = dx, .y = y, .dy = dy.tensor, .gate_up = x.tensor, .activation = activation});
    expect_close(dx, {2.0, 0.0, 2.0, 0.0, x.values[0], 0.0, x.values[2], 0.0});
  }
}

}  // namespace
}  // namespace lmpo::testing::pointwise_test

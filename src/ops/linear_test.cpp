#include "ops/reference/linear.h"

#include "base/error.h"
#include "base/random.h"
#include "ops/testing/columns_test.h"

namespace lmpo::testing::linear_test {
namespace {

using reference::gather_rows;
using reference::linear;

class LinearTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, LinearTest, ::testing::ValuesIn(every_device()), case_name);

TEST_P(LinearTest, ForwardAndBackward) {
  const std::int64_t sizes[][3] = {
      {1, 1, 1}, {1, 37, 5}, {7, 3, 130}, {65, 66, 67}, {130, 257, 70}};
  for (const auto& [tokens, in, out] : sizes) {
    SCOPED_TRACE(::testing::Message() << tokens << " x " << in << " x " << out);
    const Filled x = random(compute(), {tokens, in});
    const Filled w = random(compute(), {out, in});
    const Filled dy = random(compute(), {tokens, out});
    const Tensor y = poisoned(compute(), {tokens, out});
    ops().run(LinearForward{.y = y, .x = x.tensor, .w = w.tensor});
    std::vector<double> expected = linear(x.values, w.values, tokens, in, out);
    expect_close(y, expected);
    ops().run(LinearForward{.y = y, .x = x.tensor, .w = w.tensor, .accumulate = true});
    for (double& value : expected) {
      value *= 2.0;
    }
    expect_close(y, expected);

    const auto of_x = [&, tokens = tokens, in = in, out = out](const std::vector<Complex>& point) {
      return linear(point, {w.values.begin(), w.values.end()}, tokens, in, out);
    };
    const Tensor dx = poisoned(compute(), {tokens, in});
    ops().run(LinearBackwardInput{.dx = dx, .dy = dy.tensor, .w = w.tensor});
    expect_gradient(dx, x.values, dy.values, of_x);
    const std::vector<double> before = read(dx);
    ops().run(LinearBackwardInput{.dx = dx, .dy = dy.tensor, .w = w.tensor, .accumulate = true});
    expect_gradient(dx, x.values, dy.values, of_x, before);

    const Filled dw = random(Dtype::f32, {out, in});
    ops().run(LinearBackwardWeight{.dw = dw.tensor, .dy = dy.tensor, .x = x.tensor});
    expect_gradient(
        dw.tensor, w.values, dy.values,
        [&, tokens = tokens, in = in, out = out](const std::vector<Complex>& point) {
          return linear({x.values.begin(), x.values.end()}, point, tokens, in, out);
        },
        dw.values);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ColumnsTest, ::testing::ValuesIn(every_storage()), case_name);

// Libraries may choose another kernel for another stride, so sums may round otherwise.
TEST_P(ColumnsTest, EqualATensorOfTheirOwn) {
  constexpr std::int64_t kIn = 96;
  constexpr std::int64_t kOut = 72;
  for (const std::int64_t tokens : {1, 3, 40, 150}) {
    SCOPED_TRACE(::testing::Message() << tokens << " tokens");
    const Filled x = random(compute(), {tokens, kIn});
    const Filled w = random(storage(), {kOut, kIn});
    const Filled y = random(compute(), {tokens, kOut});
    const Wide wide_x = widened(x);
    const Wide wide_y = widened(y);
    for (const bool add : {true, false}) {
      ops().run(LinearForward{.y = y.tensor, .x = x.tensor, .w = w.tensor, .accumulate = add});
      ops().run(LinearForward{
          .y = wide_y.columns, .x = wide_x.columns, .w = w.tensor, .accumulate = add});
      expect_close(inner(wide_y), read(y.tensor));
    }
    const Filled dw = random(Dtype::f32, {kOut, kIn});
    const Filled other_dw = filled(Dtype::f32, {kOut, kIn}, dw.values);
    ops().run(LinearBackwardWeight{.dw = dw.tensor, .dy = y.tensor, .x = x.tensor});
    ops().run(
        LinearBackwardWeight{.dw = other_dw.tensor, .dy = wide_y.columns, .x = wide_x.columns});
    expect_close(other_dw.tensor, read(dw.tensor));
    if (storage() == compute()) {
      const Filled dx = random(compute(), {tokens, kIn});
      const Wide wide_dx = widened(dx);
      ops().run(LinearBackwardInput{.dx = dx.tensor, .dy = y.tensor, .w = w.tensor});
      ops().run(LinearBackwardInput{.dx = wide_dx.columns, .dy = wide_y.columns, .w = w.tensor});
      expect_close(inner(wide_dx), read(dx.tensor));
    }
  }
}

// Only linear layers and norms take columns: every other op would read the wrong numbers.
TEST_P(LinearTest, OtherOpsRefuseColumns) {
  const Tensor x = random(compute(), {4, 6}).tensor.columns(2, 5);
  const Tensor y = poisoned(compute(), {4, 3});
  const Tensor w = random(compute(), {3, 3}).tensor;
  EXPECT_THROW(ops().run(Copy{.out = y, .in = x}), std::logic_error);
  EXPECT_THROW(ops().run(Cast{.out = x, .in = y}), std::logic_error);
  EXPECT_THROW(ops().run(Zero{.x = x}), std::logic_error);
  EXPECT_THROW(ops().run(BiasForward{.y = x, .b = w.rows(0, 1).reshaped({3})}), std::logic_error);
  EXPECT_THROW(
      ops().run(LinearForward{.y = y, .x = y, .w = random(compute(), {3, 5}).tensor.columns(1, 4)}),
      std::logic_error);
  EXPECT_THROW(read(x), std::logic_error);
  ops().run(LinearForward{.y = y, .x = x, .w = w});
}

// As decoding does: few tokens, weights as they are stored.
TEST_P(LinearTest, FewTokensWithWeightsOfAnyStorage) {
  for (const Dtype storage : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    for (const std::int64_t tokens : {1, 3, 4, 5, 16, 64, 65}) {
      for (const auto& [in, out] :
           {std::pair<std::int64_t, std::int64_t>{70, 1}, {512, 259}, {33, 6}}) {
        SCOPED_TRACE(::testing::Message()
                     << dtype_name(storage) << " " << tokens << " x " << in << " x " << out);
        const Filled x = random(compute(), {tokens, in});
        const Filled w = random(storage, {out, in});
        const Tensor y = poisoned(compute(), {tokens, out});
        const std::vector<double> once = linear(x.values, w.values, tokens, in, out);
        std::vector<double> twice = once;
        for (double& value : twice) {
          value *= 2.0;
        }
        LinearForward product{.y = y, .x = x.tensor, .w = w.tensor};
        for (const bool independent : {false, true}) {
          product.independent_rows = independent;
          product.accumulate = false;
          ops().run(product);
          expect_close(y, once);
          product.accumulate = true;
          ops().run(product);
          expect_close(y, twice);
        }
      }
    }
  }
}

// Factors rounded to bfloat16, their products summed in float32: beside the same sum in double.
TEST(LinearInBfloat16, EqualsProductsOfRoundedFactors) {
  std::unique_ptr<Ops> ops;
  try {
    ops = make_cpu_ops(Dtype::bf16);
  } catch (const UserError& error) {
    GTEST_SKIP() << error.what();
  }
  constexpr std::int64_t kTokens = 70;
  constexpr std::int64_t kIn = 130;
  constexpr std::int64_t kOut = 90;
  Arena arena = Arena::host(1 << 20);
  Random random(3, 0);
  const auto filled = [&](std::int64_t rows, std::int64_t columns) {
    const Tensor tensor = arena.allocate("test", Dtype::f32, {rows, columns});
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.f32()[i] = static_cast<float>(random.normal());
    }
    return tensor;
  };
  const auto rounded = [](Tensor x, std::int64_t row, std::int64_t column) {
    return static_cast<double>(to_float(to_bfloat16(x.f32()[row * x.dim(1) + column])));
  };
  const Tensor x = filled(kTokens, kIn);
  const Tensor w = filled(kOut, kIn);
  const Tensor dy = filled(kTokens, kOut);
  const Tensor y = filled(kTokens, kOut);
  const Tensor dx = filled(kTokens, kIn);
  const Tensor dw = filled(kOut, kIn);
  ops->run(Zero{.x = dw});
  ops->run(LinearForward{.y = y, .x = x, .w = w});
  ops->run(LinearBackwardInput{.dx = dx, .dy = dy, .w = w});
  ops->run(LinearBackwardWeight{.dw = dw, .dy = dy, .x = x});
  const auto expect = [](Tensor actual, std::int64_t sums, const auto& term) {
    for (std::int64_t row = 0; row < actual.dim(0); ++row) {
      for (std::int64_t column = 0; column < actual.dim(1); ++column) {
        double expected = 0;
        for (std::int64_t k = 0; k < sums; ++k) {
          expected += term(row, column, k);
        }
        ASSERT_NEAR(static_cast<double>(actual.f32()[row * actual.dim(1) + column]), expected,
                    1e-4);
      }
    }
  };
  expect(y, kIn, [&](auto t, auto o, auto i) { return rounded(x, t, i) * rounded(w, o, i); });
  expect(dx, kOut, [&](auto t, auto i, auto o) { return rounded(dy, t, o) * rounded(w, o, i); });
  expect(dw, kTokens, [&](auto o, auto i, auto t) { return rounded(dy, t, o) * rounded(x, t, i); });
}

TEST_P(LinearTest, RefusesWrongShapes) {
  const Filled x = random(compute(), {4, 3});
  const Filled w = random(compute(), {5, 3});
  const Tensor y = poisoned(compute(), {4, 6});
  EXPECT_THROW(ops().run(LinearForward{.y = y, .x = x.tensor, .w = w.tensor}), std::logic_error);
  EXPECT_THROW(ops().run(LinearBackwardInput{.dx = x.tensor, .dy = y, .w = w.tensor}),
               std::logic_error);
  EXPECT_THROW(ops().run(LinearBackwardWeight{.dw = w.tensor, .dy = y, .x = x.tensor}),
               std::logic_error);
}

class BiasTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, BiasTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(BiasTest, ForwardAndBackward) {
  const std::int64_t sizes[][2] = {{1, 1}, {5, 8}, {3, 257}, {600, 70}, {2, 4100}};
  for (const auto& [rows, width] : sizes) {
    SCOPED_TRACE(::testing::Message() << rows << " x " << width);
    const Filled y = random(compute(), {rows, width});
    const Filled b = random(storage(), {width});
    ops().run(BiasForward{.y = y.tensor, .b = b.tensor});
    expect_close(y.tensor, reference::bias(y.values, b.values));

    const Filled dy = random(compute(), {rows, width});
    const Filled db = random(Dtype::f32, {width});
    ops().run(BiasBackward{.db = db.tensor, .dy = dy.tensor});
    expect_gradient(
        db.tensor, b.values, dy.values,
        [&](const std::vector<Complex>& point) {
          return reference::bias({y.values.begin(), y.values.end()}, point);
        },
        db.values);
  }
}

TEST_P(BiasTest, RefusesWrongShapes) {
  const Tensor y = random(compute(), {4, 3}).tensor;
  const Tensor b = random(Dtype::f32, {4}).tensor;
  EXPECT_THROW(ops().run(BiasForward{.y = y, .b = b}), std::logic_error);
  EXPECT_THROW(ops().run(BiasBackward{.db = b, .dy = y}), std::logic_error);
}

class RowsTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, RowsTest, ::testing::ValuesIn(every_storage()), case_name);

TEST_P(RowsTest, EmbeddingLooksUpAndAddsBack) {
  for (const std::int64_t width : {1, 6, 200}) {
    const std::vector<std::int32_t> tokens{3, 0, 3, 9, 3, 1};
    const Filled table = random(storage(), {10, width});
    const Tensor y = poisoned(compute(), {6, width});
    ops().run(EmbeddingForward{.y = y, .table = table.tensor, .tokens = indices(tokens)});
    expect_close(y, gather_rows(table.values, tokens, width));

    const Filled dy = random(compute(), {6, width});
    const Filled dtable = random(Dtype::f32, {10, width});
    ops().run(
        EmbeddingBackward{.dtable = dtable.tensor, .dy = dy.tensor, .tokens = indices(tokens)});
    expect_gradient(
        dtable.tensor, table.values, dy.values,
        [&](const std::vector<Complex>& point) { return gather_rows(point, tokens, width); },
        dtable.values);
  }
}

TEST_P(RowsTest, EmbeddingRefusesATokenOutsideOfTheTable) {
  const Filled table = random(storage(), {10, 4});
  const Tensor y = poisoned(compute(), {1, 4});
  for (const std::int32_t token : {-1, 10}) {
    if (reads_indices()) {
      EXPECT_THROW(
          ops().run(EmbeddingForward{.y = y, .table = table.tensor, .tokens = indices({token})}),
          std::logic_error);
    } else {
      ops().run(EmbeddingForward{.y = y, .table = table.tensor, .tokens = indices({token})});
      EXPECT_TRUE(std::isnan(read(y)[3]));
    }
  }
}

TEST_P(RowsTest, GatherAndScatterAreInverse) {
  const std::vector<std::int32_t> rows{1, 2, 6};
  const Filled x = random(compute(), {8, 130});
  const Tensor y = poisoned(compute(), {3, 130});
  ops().run(GatherRows{.y = y, .x = x.tensor, .rows = indices(rows)});
  expect_close(read(y), gather_rows(x.values, rows, 130), 0.0);

  const Tensor dx = poisoned(compute(), {8, 130});
  ops().run(ScatterRows{.dx = dx, .dy = y, .rows = indices(rows)});
  std::vector<double> expected(x.values.size(), 0.0);
  for (const std::int32_t row : rows) {
    std::copy_n(x.values.begin() + row * 130, 130, expected.begin() + row * 130);
  }
  expect_close(read(dx), expected, 0.0);
}

TEST_P(RowsTest, ZeroAndCopy) {
  const Filled x = random(compute(), {33, 7});
  const Tensor y = poisoned(compute(), {33, 7});
  ops().run(Copy{.out = y, .in = x.tensor});
  expect_close(read(y), x.values, 0.0);
  ops().run(Zero{.x = y});
  expect_close(read(y), std::vector<double>(x.values.size(), 0.0), 0.0);
}

// Every pattern of 16 bits widened, and float32 bits of every kind rounded, exactly as dtype.h
// does.
TEST_P(RowsTest, CastsAsDtypeDoes) {
  std::vector<float> values;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    values.push_back(to_float(bfloat16{static_cast<std::uint16_t>(bits)}));
    values.push_back(to_float(float16{static_cast<std::uint16_t>(bits)}));
    values.push_back(std::bit_cast<float>(bits * 65537U));
    // Around the ties of float16, subnormals included.
    values.push_back(std::bit_cast<float>(0x33000000U + bits * 4096U));
    values.push_back(std::bit_cast<float>(0x33000001U + bits * 4096U));
  }
  const std::vector<double> wide(values.begin(), values.end());
  const auto count = static_cast<std::int64_t>(values.size());
  const Tensor in = upload(Dtype::f32, {count}, values.data());
  const Tensor stored = poisoned(storage(), {count});
  const Tensor out = poisoned(Dtype::f32, {count});
  ops().run(Cast{.out = stored, .in = in});
  ops().run(Cast{.out = out, .in = stored});
  const std::vector<double> expected = decode(storage(), encode(storage(), wide));
  for (const Tensor tensor : {stored, out}) {
    const std::vector<double> actual = read(tensor);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_TRUE(actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i])))
          << wide[i] << " became " << actual[i] << " and not " << expected[i];
    }
  }
}

}  // namespace
}  // namespace lmpo::testing::linear_test

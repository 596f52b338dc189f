#include "ops/cpu/independent_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo::cpu::independent_rows_test {
namespace {

// A kind of processor, the type of w, and how factors are rounded.
struct Case {
  std::size_t kernels;
  Dtype storage;
  Precision precision;
};

std::vector<Case> every_case() {
  std::vector<Case> cases;
  for (std::size_t kernels = 0; kernels < row_kernels().size(); ++kernels) {
    for (const Dtype storage : {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::i8}) {
      for (const Precision precision : {Precision::f32, Precision::bf16}) {
        cases.push_back({kernels, storage, precision});
      }
    }
  }
  return cases;
}

class IndependentRowsTest : public ::testing::TestWithParam<Case> {
 protected:
  void TearDown() override { set_threads(available_threads()); }

  Tensor random(Dtype dtype, std::int64_t rows, std::int64_t columns) {
    const Tensor wide = arena_.allocate("test", Dtype::f32, {rows, columns});
    for (std::int64_t i = 0; i < wide.elements(); ++i) {
      wide.f32()[i] = static_cast<float>(random_.normal());
    }
    const Tensor tensor = arena_.allocate("test", dtype, {rows, columns});
    if (dtype == Dtype::i8) {
      for (std::int64_t i = 0; i < wide.elements(); ++i) {
        tensor.i8()[i] = static_cast<std::int8_t>(std::lround(30.0F * wide.f32()[i]));
      }
    } else {
      narrow(tensor, 0, wide.f32(), wide.elements());
    }
    return tensor;
  }
  // The rows of x, in columns of a wider tensor.
  Tensor moved(Tensor x) {
    const std::int64_t width = x.dim(1);
    const Tensor wide = random(Dtype::f32, x.dim(0), width + 7);
    for (std::int64_t row = 0; row < x.dim(0); ++row) {
      std::memcpy(wide.f32() + row * (width + 7) + 3, strided_f32(x) + row * x.row_stride(),
                  static_cast<std::size_t>(width) * sizeof(float));
    }
    return wide.columns(3, 3 + width);
  }
  LinearForward product(Tensor x, Tensor w) {
    return {.y = random(Dtype::f32, x.dim(0), w.dim(0)),
            .x = x,
            .w = w,
            .independent_rows = true,
            .scales = w.dtype() == Dtype::i8 ? random(Dtype::f32, 1, w.dim(0)).reshaped({w.dim(0)})
                                             : Tensor()};
  }
  static void multiply(const LinearForward& op) {
    multiply_independent_rows(op, GetParam().precision, row_kernels()[GetParam().kernels]);
  }
  // What the product multiplies.
  static double factor(Tensor x, std::int64_t row, std::int64_t column) {
    float value = 0;
    if (x.is_contiguous()) {
      widen(&value, x, row * x.dim(1) + column, 1);
    } else {
      value = strided_f32(x)[row * x.row_stride() + column];
    }
    return static_cast<double>(
        GetParam().precision == Precision::bf16 ? to_float(to_bfloat16(value)) : value);
  }
  static void expect_formula(const LinearForward& op, const std::vector<float>& before) {
    for (std::int64_t t = 0; t < op.x.dim(0); ++t) {
      for (std::int64_t o = 0; o < op.w.dim(0); ++o) {
        double sum = 0;
        double size = 0;
        for (std::int64_t i = 0; i < op.w.dim(1); ++i) {
          const double term = factor(op.x, t, i) * factor(op.w, o, i);
          sum += term;
          size += std::abs(term);
        }
        const double scale = op.scales.empty() ? 1 : static_cast<double>(op.scales.f32()[o]);
        const std::int64_t at = t * op.y.dim(1) + o;
        const double start =
            op.accumulate ? static_cast<double>(before[static_cast<std::size_t>(at)]) : 0;
        ASSERT_NEAR(static_cast<double>(op.y.f32()[at]), start + scale * sum,
                    3e-6 * (std::abs(scale) * size + std::abs(start)) + 1e-30)
            << "row " << t << ", output " << o;
      }
    }
  }

  Arena arena_ = Arena::host(std::size_t{1} << 28);
  Random random_{7, 0};
};

INSTANTIATE_TEST_SUITE_P(Kernels, IndependentRowsTest, ::testing::ValuesIn(every_case()),
                         [](const auto& given) {
                           return std::to_string(given.param.kernels) + "_" +
                                  std::string(dtype_name(given.param.storage)) +
                                  (given.param.precision == Precision::bf16 ? "_rounded" : "");
                         });

TEST_P(IndependentRowsTest, EqualsTheFormula) {
  const std::int64_t sizes[][3] = {{1, 1, 1},    {1, 37, 5},    {6, 32, 4},   {7, 31, 130},
                                   {5, 800, 66}, {13, 1600, 9}, {40, 70, 133}};
  for (const auto& [tokens, in, out] : sizes) {
    SCOPED_TRACE(::testing::Message() << tokens << " x " << in << " x " << out);
    LinearForward op = product(random(Dtype::f32, tokens, in), random(GetParam().storage, out, in));
    for (const bool accumulate : {false, true}) {
      op.accumulate = accumulate;
      const std::vector<float> before(op.y.f32(), op.y.f32() + op.y.elements());
      multiply(op);
      expect_formula(op, before);
    }
  }
}

TEST_P(IndependentRowsTest, NothingOfYIsReadWithoutAccumulate) {
  const LinearForward op = product(random(Dtype::f32, 3, 40), random(GetParam().storage, 10, 40));
  std::fill_n(op.y.f32(), op.y.elements(), std::nanf(""));
  multiply(op);
  expect_formula(op, {});
}

// A row's bits do not depend on how many rows there are, on the row's place, on the strides and on
// the number of threads. x is small enough to stay in the cache, and too large.
TEST_P(IndependentRowsTest, RowsAreIndependentToTheBit) {
  constexpr std::int64_t kOut = 70;
  for (const auto& [tokens, in] :
       {std::pair<std::int64_t, std::int64_t>{23, 70}, {23, 800}, {140, 1000}}) {
    const Tensor x = random(Dtype::f32, tokens, in);
    const LinearForward whole = product(x, random(GetParam().storage, kOut, in));
    LinearForward sum = whole;
    sum.accumulate = true;
    sum.y = random(Dtype::f32, tokens, kOut);
    const Tensor start = random(Dtype::f32, tokens, kOut);
    const auto accumulated = [&](const LinearForward& op, std::int64_t first) {
      std::copy_n(start.f32() + first * kOut, op.y.elements(), op.y.f32());
      multiply(op);
    };
    set_threads(1);
    multiply(whole);
    accumulated(sum, 0);
    for (const int count : {1, 3}) {
      set_threads(count);
      for (const auto& [begin, rows] : {std::pair<std::int64_t, std::int64_t>{0, tokens},
                                        {0, 1},
                                        {tokens - 1, 1},
                                        {3, 2},
                                        {5, 4},
                                        {1, 5},
                                        {2, 6},
                                        {4, 7},
                                        {1, 13},
                                        {0, tokens - 1}}) {
        SCOPED_TRACE(::testing::Message() << count << " threads, " << rows << " of " << tokens
                                          << " rows from " << begin << ", " << in << " terms");
        const auto expect_rows = [&, begin = begin](const LinearForward& op, Tensor expected) {
          ASSERT_EQ(std::memcmp(op.y.f32(), expected.f32() + begin * kOut, op.y.bytes()), 0);
        };
        LinearForward part = whole;
        part.x = x.rows(begin, begin + rows);
        part.y = random(Dtype::f32, rows, kOut);
        multiply(part);
        expect_rows(part, whole.y);
        part.x = moved(part.x);
        multiply(part);
        expect_rows(part, whole.y);
        part.accumulate = true;
        accumulated(part, begin);
        expect_rows(part, sum.y);
      }
    }
  }
}

TEST(RowKernels, ThePlainOnesAreThere) {
  ASSERT_FALSE(row_kernels().empty());
  for (const RowKernels& kernels : row_kernels()) {
    EXPECT_NE(kernels.f32, nullptr);
    EXPECT_NE(kernels.bf16, nullptr);
    EXPECT_NE(kernels.i8, nullptr);
    EXPECT_LE(kernels.inputs, kTileInputs);
  }
}

TEST(IndependentRows, OfNothing) {
  Arena arena = Arena::host(1 << 16);
  const Tensor w = arena.allocate("test", Dtype::f32, {5, 8});
  multiply_independent_rows({.y = arena.allocate("test", Dtype::f32, {0, 5}),
                             .x = arena.allocate("test", Dtype::f32, {0, 8}),
                             .w = w},
                            Precision::f32);
}

}  // namespace
}  // namespace lmpo::cpu::independent_rows_test

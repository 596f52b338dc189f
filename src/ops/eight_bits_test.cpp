// Weights in 8 bits by rows: every op that takes them computes with scales[o] w[o,i].
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo::eight_bits_test {
namespace {

constexpr std::int64_t kRows = 2100;  // more than a tile of the head
constexpr std::int64_t kColumns = 75;

class EightBits : public ::testing::Test {
 protected:
  EightBits() {
    for (std::int64_t row = 0; row < kRows; ++row) {
      scales_.f32()[row] = static_cast<float>(std::exp(random_.normal()));
      for (std::int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
        codes_.i8()[i] = static_cast<std::int8_t>(static_cast<int>(random_.below(255)) - 127);
        wide_.f32()[i] = scales_.f32()[row] * static_cast<float>(codes_.i8()[i]);
      }
    }
  }

  Tensor floats(std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("test", Dtype::f32, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.f32()[i] = static_cast<float>(random_.normal());
    }
    return tensor;
  }
  Tensor indices(std::initializer_list<std::int32_t> values) {
    const Tensor tensor = arena_.allocate("test", Dtype::i32, {std::ssize(values)});
    std::copy(values.begin(), values.end(), tensor.i32());
    return tensor;
  }
  static void expect_equal(Tensor actual, Tensor expected, float allowed) {
    for (std::int64_t i = 0; i < expected.elements(); ++i) {
      ASSERT_NEAR(actual.f32()[i], expected.f32()[i], allowed) << "at " << i;
    }
  }

  Arena arena_ = Arena::host(std::size_t{1} << 26);
  Random random_{11, 0};
  Tensor codes_ = arena_.allocate("test", Dtype::i8, {kRows, kColumns});
  Tensor scales_ = arena_.allocate("test", Dtype::f32, {kRows});
  Tensor wide_ = arena_.allocate("test", Dtype::f32, {kRows, kColumns});
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
};

TEST_F(EightBits, Embedding) {
  const Tensor tokens = indices({3, 0, 2099, 3});
  const Tensor y = floats({4, kColumns});
  const Tensor expected = floats({4, kColumns});
  ops_->run(EmbeddingForward{.y = y, .table = codes_, .tokens = tokens, .scales = scales_});
  ops_->run(EmbeddingForward{.y = expected, .table = wide_, .tokens = tokens});
  expect_equal(y, expected, 0.0F);
}

TEST_F(EightBits, LinearForAnyNumberOfTokens) {
  for (const std::int64_t tokens : {1, 5, 70}) {
    const Tensor x = floats({tokens, kColumns});
    const Tensor y = floats({tokens, kRows});
    const Tensor expected = floats({tokens, kRows});
    for (const bool independent : {true, false}) {
      ops_->run(LinearForward{
          .y = y, .x = x, .w = codes_, .independent_rows = independent, .scales = scales_});
      ops_->run(LinearForward{.y = expected, .x = x, .w = wide_, .independent_rows = true});
      for (std::int64_t i = 0; i < y.elements(); ++i) {
        const float size = 127.0F * scales_.f32()[i % kRows] * 40.0F;
        ASSERT_NEAR(y.f32()[i], expected.f32()[i], 1e-6F * size) << "at " << i;
      }
    }
  }
}

TEST_F(EightBits, Head) {
  const Tensor hidden = floats({3, kColumns});
  const auto logp = [&](Tensor w, Tensor scales) {
    const Tensor result = floats({4});
    ops_->run(
        HeadForward{.logp = result,
                    .lse = floats({3}),
                    .hidden = hidden,
                    .w = w,
                    .target_row = indices({0, 0, 1, 2}),
                    .target_token = indices({0, 2099, 7, 2048}),
                    .workspace = floats({ops_->head_workspace(3, kColumns, kRows, w.dtype())}),
                    .scales = scales});
    return result;
  };
  expect_equal(logp(codes_, scales_), logp(wide_, {}), 0.0F);
}

TEST_F(EightBits, AreRefusedWithoutScales) {
  const Tensor x = floats({2, kColumns});
  const Tensor y = floats({2, kRows});
  EXPECT_THROW(ops_->run(LinearForward{.y = y, .x = x, .w = codes_}), std::logic_error);
  EXPECT_THROW(ops_->run(LinearForward{.y = y, .x = x, .w = wide_, .scales = scales_}),
               std::logic_error);
  EXPECT_THROW(ops_->run(EmbeddingForward{.y = x, .table = codes_, .tokens = indices({1, 2})}),
               std::logic_error);
}

}  // namespace
}  // namespace lmpo::eight_bits_test

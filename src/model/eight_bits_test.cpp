#include "model/eight_bits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "model/testing/golden.h"
#include "model/weights.h"
#include "ops/ops.h"

namespace lmpo::eight_bits_test {
namespace {

TEST(EightBitRows, AreTheNearestCodes) {
  Random random(5, 0);
  constexpr std::int64_t kWidth = 37;
  std::vector<float> values(static_cast<std::size_t>(20 * kWidth));
  for (float& value : values) {
    value = static_cast<float>(random.normal() * std::exp(10 * random.normal()));
  }
  const EightBitRows rounded = round_to_eight_bits(values, kWidth);
  ASSERT_EQ(rounded.codes.size(), values.size());
  ASSERT_EQ(rounded.scales.size(), 20U);
  for (std::size_t row = 0; row < rounded.scales.size(); ++row) {
    const auto scale = static_cast<double>(rounded.scales[row]);
    int largest = 0;
    for (std::size_t i = row * kWidth; i < (row + 1) * kWidth; ++i) {
      const int code = rounded.codes[i];
      largest = std::max(largest, std::abs(code));
      EXPECT_NEAR(scale * code, static_cast<double>(values[i]), 0.5001 * scale);
    }
    EXPECT_EQ(largest, 127);
  }
}

TEST(EightBitRows, OfZerosAndOfExtremes) {
  constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
  constexpr float kLargest = std::numeric_limits<float>::max();
  const EightBitRows rounded =
      round_to_eight_bits(std::vector<float>{0, 0, -0.0F, kSmallest, -kSmallest, 0, kLargest,
                                             -kLargest, 1, 200 * kSmallest, -200 * kSmallest, 0},
                          3);
  EXPECT_EQ(rounded.codes,
            (std::vector<std::int8_t>{0, 0, 0, 0, 0, 0, 127, -127, 0, 100, -100, 0}));
  EXPECT_EQ(rounded.scales[0], 0.0F);
  EXPECT_EQ(rounded.scales[1], 0.0F);
  EXPECT_EQ(rounded.scales[2], kLargest / 127);
}

// Every tensor of the checkpoint arrives in its rows, rounded if it is a matrix.
TEST(WeightsInEightBits, HoldTheCheckpoint) {
  const std::unique_ptr<Ops> ops = make_cpu_ops();
  for (const std::string_view name : {"llama", "llama_bias_tied"}) {
    const fs::path folder = source_folder() / "src/model/testdata" / name;
    const ModelConfig config = read_model_config(folder);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    Arena arena = Arena::host(1 << 24);
    Weights exact(config, Dtype::f32, WeightUse::inference, arena);
    exact.load(checkpoint, *ops);
    Weights weights(config, Dtype::i8, WeightUse::inference, arena);
    weights.load(checkpoint, *ops);
    EXPECT_EQ(weights.count(), exact.count());
    for (std::size_t n = 0; n < exact.named().size(); ++n) {
      SCOPED_TRACE(exact.named()[n].name);
      const Tensor expected = exact.named()[n].parameter.value;
      const Parameter parameter = weights.named()[n].parameter;
      const bool is_matrix = parameter.kind == TensorKind::matrix;
      ASSERT_EQ(parameter.value.dtype(), is_matrix ? Dtype::i8 : Dtype::f32);
      ASSERT_EQ(parameter.scales.empty(), !is_matrix);
      for (std::int64_t i = 0; i < expected.elements(); ++i) {
        const float scale = is_matrix ? parameter.scales.f32()[i / expected.dim(1)] : 0;
        const float actual = is_matrix ? scale * static_cast<float>(parameter.value.i8()[i])
                                       : parameter.value.f32()[i];
        ASSERT_NEAR(actual, expected.f32()[i], 0.5001F * scale);
      }
    }
  }
}

}  // namespace
}  // namespace lmpo::eight_bits_test

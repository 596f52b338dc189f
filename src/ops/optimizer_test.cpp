#include "base/json.h"
#include "base/testing/test_paths.h"
#include "ops/testing/ops_test.h"

namespace lmpo::testing::optimizer_test {
namespace {

class OptimizerTest : public OpsTest {
 protected:
  struct State {
    Tensor w;
    Tensor low;
    Tensor moment1;
    Tensor moment2;
  };

  // Weights of the storage under test whose exact master has these values.
  State make_state(const std::vector<double>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    State state;
    if (storage() == Dtype::bf16) {
      std::vector<bfloat16> high;
      std::vector<std::int16_t> low;
      for (const double value : values) {
        const SplitFloat parts = split_float(static_cast<float>(value));
        high.push_back(parts.high);
        low.push_back(parts.low);
      }
      state.w = upload(Dtype::bf16, {count}, high.data());
      state.low = upload(Dtype::i16, {count}, low.data());
    } else {
      state.w = filled(storage(), {count}, values).tensor;
      if (storage() == Dtype::f16) {
        state.low = filled(Dtype::f32, {count}, values).tensor;
      }
    }
    const std::vector<double> zeros(values.size(), 0.0);
    state.moment1 = filled(Dtype::f32, {count}, zeros).tensor;
    state.moment2 = filled(Dtype::f32, {count}, zeros).tensor;
    return state;
  }

  std::vector<double> master(const State& state) {
    if (storage() == Dtype::f32) {
      return read(state.w);
    }
    if (storage() == Dtype::f16) {
      return read(state.low);
    }
    const auto count = static_cast<std::size_t>(state.w.elements());
    std::vector<bfloat16> high(count);
    std::vector<std::int16_t> low(count);
    ops().download(high.data(), state.w);
    ops().download(low.data(), state.low);
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
      values.push_back(static_cast<double>(join_float({high[i], low[i]})));
    }
    return values;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, OptimizerTest, ::testing::ValuesIn(every_storage()), case_name);

AdamWStep step_of(const json& setting, int t) {
  const double beta1 = setting["betas"][0];
  const double beta2 = setting["betas"][1];
  return {.learning_rate = setting["lr"],
          .beta1 = beta1,
          .beta2 = beta2,
          .epsilon = setting["eps"],
          .weight_decay = setting["weight_decay"],
          .bias_correction1 = 1.0 - std::pow(beta1, t),
          .bias_correction2 = 1.0 - std::pow(beta2, t),
          .gradient_scale = 1.0};
}

// To a few roundings of the largest number so far, which `largest` remembers: torch fuses a
// multiplication and an addition here and there, and a moment may nearly cancel.
void expect_almost(const std::vector<double>& actual, const json& expected,
                   std::vector<double>& largest) {
  largest.resize(actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double value = expected[i];
    largest[i] = std::max(largest[i], std::abs(value));
    ASSERT_NEAR(actual[i], value, 5e-7 * largest[i]) << "at " << i;
  }
}

TEST_P(OptimizerTest, FollowsTorch) {
  for (const json& setting : read_json(source_folder() / "src/ops/testdata/adamw.json")) {
    const State state = make_state(setting["weight"].get<std::vector<double>>());
    std::vector<double> largest[3];
    int t = 0;
    for (const json& step : setting["steps"]) {
      SCOPED_TRACE(::testing::Message() << "learning rate " << setting["lr"] << ", step " << ++t);
      const auto gradient = step["gradient"].get<std::vector<double>>();
      ops().run(AdamW{.w = state.w,
                      .low = state.low,
                      .gradient = filled(Dtype::f32, {24}, gradient).tensor,
                      .moment1 = state.moment1,
                      .moment2 = state.moment2,
                      .step = step_of(setting, t)});
      expect_almost(master(state), step["weight"], largest[0]);
      expect_almost(read(state.moment1), step["moment1"], largest[1]);
      expect_almost(read(state.moment2), step["moment2"], largest[2]);
    }
  }
}

// Storage is a way to keep the master, not another arithmetic: many small steps that none of the
// 16-bit types could take alone end where float32 ends, and w is the master's rounding.
TEST_P(OptimizerTest, MasterLosesNothing) {
  Random random(11, 0);
  std::vector<double> start(3000);
  std::vector<double> gradient(start.size());
  for (std::size_t i = 0; i < start.size(); ++i) {
    start[i] = static_cast<double>(static_cast<float>(random.normal()));
    gradient[i] = random.normal();
  }
  const json setting{{"lr", 5e-7}, {"betas", {0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0.0}};
  const State state = make_state(start);
  const Filled plain = filled(Dtype::f32, {3000}, start);
  const Filled gradients = filled(Dtype::f32, {3000}, gradient);
  const Tensor moment1 = filled(Dtype::f32, {3000}, std::vector<double>(3000, 0.0)).tensor;
  const Tensor moment2 = filled(Dtype::f32, {3000}, std::vector<double>(3000, 0.0)).tensor;
  for (int t = 1; t <= 20; ++t) {
    const AdamWStep step = step_of(setting, t);
    ops().run(AdamW{.w = state.w,
                    .low = state.low,
                    .gradient = gradients.tensor,
                    .moment1 = state.moment1,
                    .moment2 = state.moment2,
                    .step = step});
    ops().run(AdamW{.w = plain.tensor,
                    .low = {},
                    .gradient = gradients.tensor,
                    .moment1 = moment1,
                    .moment2 = moment2,
                    .step = step});
  }
  const std::vector<double> expected = read(plain.tensor);
  EXPECT_EQ(master(state), expected);
  EXPECT_NE(expected, start);
  if (storage() == Dtype::f16) {
    EXPECT_EQ(read(state.w), decode(storage(), encode(storage(), expected)));
  }
}

// What is kept in 16 bits is the nearest, at ties the even one: a step that changes nothing mends
// weights that were split another way.
TEST_P(OptimizerTest, ABfloat16WeightIsItsMasterRoundedToNearestEven) {
  if (storage() != Dtype::bf16) {
    GTEST_SKIP() << "of bfloat16 alone";
  }
  std::vector<bfloat16> high;
  std::vector<std::int16_t> low;
  std::vector<std::uint16_t> expected;
  for (std::uint32_t upper = 0x0080; upper < 0x7F00; upper += 37) {
    for (const std::uint32_t sign : {0U, 0x8000U}) {
      const auto bits = static_cast<std::uint16_t>(sign | upper);
      // Ties away from zero: as a signed number the lower half of a tie is -2^15.
      high.push_back({static_cast<std::uint16_t>(bits + 1)});
      low.push_back(-32768);
      expected.push_back(static_cast<std::uint16_t>(bits + bits % 2));
    }
  }
  const auto count = static_cast<std::int64_t>(high.size());
  const State state{upload(Dtype::bf16, {count}, high.data()),
                    upload(Dtype::i16, {count}, low.data()),
                    filled(Dtype::f32, {count}, std::vector<double>(high.size(), 0)).tensor,
                    filled(Dtype::f32, {count}, std::vector<double>(high.size(), 0)).tensor};
  const json setting{{"lr", 0.0}, {"betas", {0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0.0}};
  const Tensor gradient = filled(Dtype::f32, {count}, std::vector<double>(high.size(), 0)).tensor;
  ops().run(AdamW{.w = state.w,
                  .low = state.low,
                  .gradient = gradient,
                  .moment1 = state.moment1,
                  .moment2 = state.moment2,
                  .step = step_of(setting, 1)});
  std::vector<std::uint16_t> rounded(high.size());
  ops().download(rounded.data(), state.w);
  EXPECT_EQ(rounded, expected);
}

// Every other way to bfloat16 rounds so too.
TEST_P(OptimizerTest, CastsToBfloat16RoundToNearestEven) {
  std::vector<float> values;
  std::vector<std::uint16_t> expected;
  for (std::uint32_t upper = 0; upper < 0x7F80; upper += 3) {
    for (const std::uint32_t lower : {0x7FFFU, 0x8000U, 0x8001U}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
      expected.push_back(static_cast<std::uint16_t>(
          upper + (lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1))));
    }
  }
  const auto count = static_cast<std::int64_t>(values.size());
  const Tensor wide = upload(Dtype::f32, {count}, values.data());
  const Tensor narrow = poisoned(Dtype::bf16, {count});
  ops().run(Cast{.out = narrow, .in = wide});
  std::vector<std::uint16_t> rounded(values.size());
  ops().download(rounded.data(), narrow);
  EXPECT_EQ(rounded, expected);
}

// The moments' rounding comes after the update, so the first step is float32's; later ones stay
// near.
TEST_P(OptimizerTest, EightBitMomentsStayNearFloat32) {
  constexpr std::int64_t kRows = 3;
  constexpr std::int64_t kColumns = 300;  // a block of 256 and one of 44
  Random random(13, 0);
  std::vector<double> start(kRows * kColumns);
  for (double& value : start) {
    value = static_cast<double>(static_cast<float>(random.normal()));
  }
  const auto matrix = [&](Tensor x) { return x.empty() ? x : x.reshaped({kRows, kColumns}); };
  const State whole = make_state(start);
  const State coded = make_state(start);
  const std::vector<double> no_scales(kRows * 2, 0.0);
  const std::vector<std::uint8_t> no_codes(start.size(), 0);
  const auto zeros = [&] {
    return Moment(upload(Dtype::u8, {kRows, kColumns}, no_codes.data()),
                  filled(Dtype::f32, {kRows, 2}, no_scales).tensor);
  };
  const Moment moment1 = zeros();
  const Moment moment2 = zeros();
  const json setting{{"lr", 1e-2}, {"betas", {0.9, 0.99}}, {"eps", 1e-8}, {"weight_decay", 0.1}};
  for (int t = 1; t <= 60; ++t) {
    std::vector<double> gradient(start.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = 0.3 + random.normal() * std::pow(10.0, -static_cast<double>(i % 3));
    }
    const Tensor g = filled(Dtype::f32, {kRows, kColumns}, gradient).tensor;
    ops().run(AdamW{.w = whole.w,
                    .low = whole.low,
                    .gradient = g,
                    .moment1 = whole.moment1,
                    .moment2 = whole.moment2,
                    .step = step_of(setting, t)});
    ops().run(AdamW{.w = matrix(coded.w),
                    .low = matrix(coded.low),
                    .gradient = g,
                    .moment1 = moment1,
                    .moment2 = moment2,
                    .step = step_of(setting, t)});
    const std::vector<double> expected = master(whole);
    const std::vector<double> actual = master(coded);
    if (t == 1) {
      EXPECT_EQ(actual, expected);
    }
    double moved = 0;
    double apart = 0;
    for (std::size_t i = 0; i < start.size(); ++i) {
      moved += std::abs(expected[i] - start[i]);
      apart += std::abs(actual[i] - expected[i]);
    }
    EXPECT_LT(apart, 0.03 * moved) << "step " << t;
    EXPECT_EQ(apart > 0, t > 1);
  }
}

TEST_P(OptimizerTest, ScalesTheGradientFirst) {
  const json setting{{"lr", 1e-2}, {"betas", {0.9, 0.999}}, {"eps", 1e-2}, {"weight_decay", 0.0}};
  AdamWStep step = step_of(setting, 1);
  const State whole = make_state({1.0, 2.0});
  ops().run(AdamW{.w = whole.w,
                  .low = whole.low,
                  .gradient = filled(Dtype::f32, {2}, {0.25, -0.5}).tensor,
                  .moment1 = whole.moment1,
                  .moment2 = whole.moment2,
                  .step = step});
  step.gradient_scale = 0.25;
  const State scaled = make_state({1.0, 2.0});
  ops().run(AdamW{.w = scaled.w,
                  .low = scaled.low,
                  .gradient = filled(Dtype::f32, {2}, {1.0, -2.0}).tensor,
                  .moment1 = scaled.moment1,
                  .moment2 = scaled.moment2,
                  .step = step});
  EXPECT_EQ(master(whole), master(scaled));
}

TEST_P(OptimizerTest, RefusesAMissingMaster) {
  const State state = make_state({1.0});
  const Tensor gradient = filled(Dtype::f32, {1}, {1.0}).tensor;
  const AdamWStep step{};
  const auto without_low = [&] {
    ops().run(AdamW{.w = state.w,
                    .low = {},
                    .gradient = gradient,
                    .moment1 = state.moment1,
                    .moment2 = state.moment2,
                    .step = step});
  };
  if (storage() == Dtype::f32) {
    EXPECT_NO_THROW(without_low());
  } else {
    EXPECT_THROW(without_low(), std::logic_error);
  }
}

class SumTest : public OpsTest {};
INSTANTIATE_TEST_SUITE_P(Devices, SumTest, ::testing::ValuesIn(every_device()), case_name);

TEST_P(SumTest, SumOfSquares) {
  for (const std::int64_t count : {1, 255, 256, 1000, 200003}) {
    const Filled x = random(Dtype::f32, {count}, 1e20);
    double expected = 0.0;
    for (const double value : x.values) {
      expected += value * value;
    }
    EXPECT_NEAR(ops().sum_of_squares({&x.tensor, 1}), expected, 1e-12 * expected);
    const std::array<Tensor, 3> parts = {x.tensor, x.tensor.rows(0, 1), x.tensor};
    const double first = x.values[0] * x.values[0];
    EXPECT_NEAR(ops().sum_of_squares(parts), 2 * expected + first, 2e-12 * expected);
  }
}

}  // namespace
}  // namespace lmpo::testing::optimizer_test

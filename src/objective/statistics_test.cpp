#include "objective/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace lmpo::statistics_test {
namespace {

std::vector<double> numbers(std::size_t count, std::uint64_t seed, double offset = 0) {
  Random random(seed, 0);
  std::vector<double> result(count);
  for (auto& value : result) {
    value = offset + random.normal();
  }
  return result;
}

// The textbook's two passes.
Zscale two_passes(const std::vector<double>& values) {
  long double mean = 0;
  for (const double value : values) {
    mean += value / static_cast<long double>(values.size());
  }
  long double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {static_cast<double>(mean),
          static_cast<double>(std::sqrt(squares / static_cast<long double>(values.size() - 1)))};
}

// One training step; returns the scale of its first value.
Zscale step(ZscoreStatistics& statistics, const std::vector<double>& margins) {
  const Zscales scales =
      statistics.step_scales(statistics.needs_margins() ? margins : std::vector<double>());
  statistics.update(scales, margins);
  return statistics.scale_at(scales, 0);
}

TEST(Moments, AgreeWithTwoPassesFarFromZeroAndMerge) {
  const auto values = numbers(1000, 1, 1e6);
  Moments whole;
  Moments parts;
  Moments part;
  for (std::size_t i = 0; i < values.size(); ++i) {
    whole.add(values[i]);
    part.add(values[i]);
    if (i % 137 == 0) {
      parts.merge(part);
      part = {};
    }
  }
  parts.merge(part);
  parts.merge({});
  const Zscale expected = two_passes(values);
  for (const Moments& moments : {whole, parts}) {
    EXPECT_EQ(moments.count, 1000);
    EXPECT_NEAR(moments.mean, expected.mean, 1e-8);
    EXPECT_NEAR(moments.deviation(0), expected.deviation, 1e-9);
  }
}

TEST(Moments, OneNumberHasNoDeviation) {
  Moments moments;
  EXPECT_EQ(moments.deviation(0.3), 0.3);
  moments.add(5);
  EXPECT_EQ(moments.deviation(0.3), 0.3);
  moments.add(5);
  EXPECT_EQ(moments.deviation(0.3), 0);
}

TEST(ZscoreStatistics, EmaFollowsItsRecursion) {
  ZscoreStatistics statistics(ZscoreMode::ema, 0.9, 8);
  const auto first = numbers(40, 1);
  EXPECT_TRUE(statistics.needs_margins());
  Zscale expected = two_passes(first);
  for (std::uint64_t i = 1; i < 20; ++i) {
    const auto batch = numbers(40, i);
    const Zscale used = step(statistics, batch);
    EXPECT_FALSE(statistics.needs_margins());
    EXPECT_NEAR(used.mean, expected.mean, 1e-13);
    EXPECT_NEAR(used.deviation, expected.deviation, 1e-13);
    const Zscale now = two_passes(batch);
    expected = {0.9 * expected.mean + 0.1 * now.mean,
                0.9 * expected.deviation + 0.1 * now.deviation};
  }
}

TEST(ZscoreStatistics, RunningIsOverEveryPairOnce) {
  ZscoreStatistics statistics(ZscoreMode::running, 0.9, 8);
  std::vector<double> seen;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto batch = numbers(7, i, 3);
    const Zscale used = step(statistics, batch);
    const Zscale expected = two_passes(i == 0 ? batch : seen);
    EXPECT_NEAR(used.mean, expected.mean, 1e-13);
    EXPECT_NEAR(used.deviation, expected.deviation, 1e-13);
    seen.insert(seen.end(), batch.begin(), batch.end());
  }
}

TEST(ZscoreStatistics, CodeCutsItsGroupsWithinTheBatch) {
  ZscoreStatistics statistics(ZscoreMode::code, 0.9, 3);
  const std::vector<double> batch = {1, 2, 6, 4};  // a group of three and one of one
  const Zscales scales = statistics.step_scales(batch);
  const double deviation = 0.1 * std::sqrt(7.0);
  for (const std::int64_t place : {2, 0, 1}) {
    const Zscale scale = statistics.scale_at(scales, place);
    EXPECT_DOUBLE_EQ(scale.mean, 0.1 * 3);
    EXPECT_DOUBLE_EQ(scale.deviation, deviation);
  }
  const Zscale last = statistics.scale_at(scales, 3);
  EXPECT_DOUBLE_EQ(last.mean, 0.9 * 0.1 * 3 + 0.1 * 4);
  EXPECT_DOUBLE_EQ(last.deviation, deviation);  // one pair keeps it
  EXPECT_ANY_THROW(static_cast<void>(statistics.scale_at(scales, 6)));
  statistics.update(scales, batch);
  EXPECT_TRUE(statistics.needs_margins());
}

// Whatever the run has seen, and without a trace in it.
TEST(ZscoreStatistics, AnEvaluationIsNormalisedByItself) {
  const auto margins = numbers(30, 99, 5);
  const Zscale expected = two_passes(margins);
  for (const ZscoreMode mode : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    ZscoreStatistics statistics(mode, 0.9, 8);
    for (std::uint64_t i = 0; i < 4; ++i) {
      const json before = statistics.state();
      const Zscales scales = statistics.evaluation_scales(margins);
      for (std::int64_t pair = 0; pair < std::ssize(margins); ++pair) {
        const Zscale scale = statistics.scale_at(scales, pair);
        EXPECT_NEAR(scale.mean, expected.mean, 1e-13);
        EXPECT_NEAR(scale.deviation, expected.deviation, 1e-13);
      }
      EXPECT_EQ(statistics.state(), before);
      step(statistics, numbers(16, i, static_cast<double>(i)));
    }
    const auto scale_of = [&](const std::vector<double>& values) {
      return statistics.scale_at(statistics.evaluation_scales(values), 0);
    };
    EXPECT_EQ(scale_of({0.4}).normalize(0.4), 0);  // one pair has no deviation
    EXPECT_EQ(scale_of({0.4, 0.4}).deviation, 1e-6);
  }
  const ZscoreStatistics none(ZscoreMode::none, 0.9, 8);
  EXPECT_EQ(none.scale_at(none.evaluation_scales(margins), 0).normalize(0.7), 0.7);
}

TEST(ZscoreStatistics, OnePairKeepsTheDeviationAndAFloorHoldsIt) {
  ZscoreStatistics one(ZscoreMode::ema, 0.9, 8);
  EXPECT_EQ(step(one, {0.4}).deviation, 1);  // the first of all
  const auto pairs = numbers(10, 3);
  ZscoreStatistics ema(ZscoreMode::ema, 0.9, 8);
  step(ema, pairs);
  const double before = step(ema, {0.4}).deviation;
  EXPECT_EQ(step(ema, {0.5}).deviation, before);

  ZscoreStatistics flat(ZscoreMode::ema, 0.9, 8);
  EXPECT_EQ(step(flat, {0.4, 0.4, 0.4}).deviation, 1e-6);
  ZscoreStatistics code(ZscoreMode::code, 0.9, 8);
  EXPECT_EQ(step(code, {0.4}).deviation, 1e-6);
}

TEST(ZscoreStatistics, NoneLeavesValuesAlone) {
  ZscoreStatistics statistics(ZscoreMode::none, 0.9, 8);
  EXPECT_FALSE(statistics.needs_margins());
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(step(statistics, numbers(5, i)).normalize(0.7), 0.7);
  }
}

}  // namespace
}  // namespace lmpo::statistics_test

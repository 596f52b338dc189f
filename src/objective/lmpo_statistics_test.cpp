// LMPO's statistics over the steps of a run: against the published trainer's arithmetic, in
// evaluations, through checkpoints.
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "base/error.h"
#include "objective/statistics.h"
#include "objective/testing.h"

namespace lmpo::lmpo_statistics_test {
namespace {

using testing::Batch;
using testing::Pair;
using testing::run_step;

// A z-score does not see the scale of what it normalises.
TEST(LmpoStatistics, MarginScaleChangesOnlyWhatIsNotNormalised) {
  for (const auto zscore : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    ObjectiveOptions options;
    options.zscore = zscore;
    const auto whole = make_objective("lmpo", options);
    options.margin_scale = 0.5;
    const auto half = make_objective("lmpo", options);
    for (std::uint64_t step = 0; step < 4; ++step) {
      const Batch batch = testing::typical_batch(24, step);
      const auto a = run_step(*whole, batch);
      const auto b = run_step(*half, batch);
      EXPECT_NEAR(a.loss, b.loss, 1e-13);
      EXPECT_NEAR(a.metrics.at("lmpo/margin_std"), 2 * b.metrics.at("lmpo/margin_std"), 1e-14);
      EXPECT_NEAR(a.metrics.at("lmpo/margin_mean"), 2 * b.metrics.at("lmpo/margin_mean"), 1e-14);
    }
  }
}

// The published trainer's arithmetic, group by group, as its authors wrote it.
TEST(LmpoStatistics, CodeModeFollowsThePublishedTrainer) {
  ObjectiveOptions options;
  options.zscore = ZscoreMode::code;
  options.margin_scale = 0.5;
  options.zscore_group = 8;
  options.beta = 2.5;
  options.gamma_beta_ratio = 0.55;
  const auto objective = make_objective("lmpo", options);

  double a = 0;
  double b = 0;
  for (std::uint64_t step = 0; step < 6; ++step) {
    const Batch batch = testing::typical_batch(32, 100 + step);
    EXPECT_TRUE(objective->needs_batch_scores());
    const auto result = run_step(*objective, batch);
    for (std::size_t group = 0; group < 4; ++group) {
      std::vector<double> margins;
      std::vector<double> gaps;
      for (std::size_t i = 8 * group; i < 8 * group + 8; ++i) {
        const auto n_w = static_cast<double>(batch[i][0].tokens);
        const auto n_l = static_cast<double>(batch[i][1].tokens);
        const double mean_w = batch[i][0].logp / n_w;
        const double mean_l = batch[i][1].logp / n_l;
        const double middle = (n_w + n_l) / 2;
        const double p_w = std::exp(mean_w * middle / n_w);
        const double p_l = std::exp(mean_l * middle / n_l);
        margins.push_back((1 - p_w) * (1 - std::pow(p_w - p_l, 5.0)) / 2);
        gaps.push_back(2.5 * (mean_w - mean_l));
      }
      const double mean = std::accumulate(margins.begin(), margins.end(), 0.0) / 8;
      double squares = 0;
      for (const double m : margins) {
        squares += (m - mean) * (m - mean);
      }
      a = 0.9 * a + 0.1 * mean;
      b = 0.9 * b + 0.1 * std::sqrt(squares / 7);
      const double home = std::exp(2.5 * 0.55);
      for (std::size_t i = 0; i < 8; ++i) {
        const double gap = gaps[i] - 0.2 * (margins[i] - a) / b;
        const double loss = -std::log(1 / (1 + home * std::exp(-gap))) / 32;
        EXPECT_NEAR(result.losses[8 * group + i], loss, 1e-12 * std::abs(loss));
      }
    }
  }
}

TEST(LmpoStatistics, FirstBatchStartsTheStatisticsAndLaterOnesUseThePast) {
  const auto objective = make_objective("lmpo", {});
  const Batch first = testing::typical_batch(64, 1);
  EXPECT_TRUE(objective->needs_batch_scores());
  const auto start = run_step(*objective, first);
  EXPECT_FALSE(objective->needs_batch_scores());
  EXPECT_NEAR(start.metrics.at("lmpo/margin_term"), 0, 1e-14);  // normalised with itself

  // A step's own batch does not move the statistics it uses.
  const json before = objective->state();
  const auto second = run_step(*objective, testing::typical_batch(64, 2));
  EXPECT_NEAR(second.metrics.at("lmpo/margin_mean"), before.at("mean").get<double>(), 1e-14);
  EXPECT_NEAR(second.metrics.at("lmpo/margin_std"), before.at("deviation").get<double>(), 1e-14);
  EXPECT_NE(objective->state(), before);
}

TEST(LmpoStatistics, EvaluationMovesNothing) {
  for (const auto zscore : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    ObjectiveOptions options;
    options.zscore = zscore;
    const auto evaluated = make_objective("lmpo", options);
    const auto plain = make_objective("lmpo", options);
    const Batch other = testing::typical_batch(20, 77);
    run_step(*evaluated, other, false);  // before the first step
    for (std::uint64_t step = 0; step < 4; ++step) {
      const Batch batch = testing::typical_batch(16, step);
      const auto a = run_step(*evaluated, batch);
      const auto b = run_step(*plain, batch);
      EXPECT_EQ(a.losses, b.losses);
      const json before = evaluated->state();
      run_step(*evaluated, other, false);
      EXPECT_EQ(evaluated->state(), before);
    }
  }
}

// The same scores have the same loss, whatever statistics training left behind: that of margins
// normalised by their own mean and unbiased deviation.
TEST(LmpoStatistics, AnEvaluationsLossMovesWithItsScoresAlone) {
  const Batch evaluation = testing::typical_batch(40, 500);
  std::vector<double> margins;
  for (const Pair& pair : evaluation) {
    const auto n_w = static_cast<double>(pair[0].tokens);
    const auto n_l = static_cast<double>(pair[1].tokens);
    const double p_w = std::exp(pair[0].logp / n_w * (n_w + n_l) / (2 * n_w));
    const double p_l = std::exp(pair[1].logp / n_l * (n_w + n_l) / (2 * n_l));
    margins.push_back((1 - p_w) * (1 - std::pow(p_w - p_l, 5.0)));
  }
  const double mean = std::accumulate(margins.begin(), margins.end(), 0.0) / 40;
  double squares = 0;
  for (const double m : margins) {
    squares += (m - mean) * (m - mean);
  }
  const double deviation = std::sqrt(squares / 39);
  for (const auto zscore :
       {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code, ZscoreMode::none}) {
    ObjectiveOptions options;
    options.zscore = zscore;
    const Zscale used = zscore == ZscoreMode::none ? Zscale{} : Zscale{mean, deviation};
    double expected = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      const Pair& pair = evaluation[i];
      const double gap = 2.0 * (pair[0].logp / static_cast<double>(pair[0].tokens) -
                                pair[1].logp / static_cast<double>(pair[1].tokens));
      expected += softplus(1.6 - (gap - 0.2 * used.normalize(margins[i]))) / 40;
    }
    const auto objective = make_objective("lmpo", options);
    const testing::StepResult first = run_step(*objective, evaluation, false);
    EXPECT_NEAR(first.loss, expected, 1e-13);
    EXPECT_NEAR(first.metrics.at("lmpo/margin_mean"), used.mean, 1e-14);
    EXPECT_NEAR(first.metrics.at("lmpo/margin_std"), used.deviation, 1e-14);
    for (std::uint64_t step = 0; step < 4; ++step) {
      run_step(*objective, testing::typical_batch(16, step));
      EXPECT_EQ(run_step(*objective, evaluation, false).losses, first.losses);
    }
  }
}

TEST(LmpoStatistics, StateSurvivesItsTextBitForBit) {
  for (const auto zscore : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    ObjectiveOptions options;
    options.zscore = zscore;
    const auto unbroken = make_objective("lmpo", options);
    for (std::uint64_t step = 0; step < 7; ++step) {
      run_step(*unbroken, testing::typical_batch(13, step));
    }
    const auto resumed = make_objective("lmpo", options);
    resumed->restore(json::parse(unbroken->state().dump(2)));
    for (std::uint64_t step = 7; step < 12; ++step) {
      const Batch batch = testing::typical_batch(13, step);
      EXPECT_EQ(run_step(*unbroken, batch).losses, run_step(*resumed, batch).losses);
    }
    EXPECT_EQ(unbroken->state(), resumed->state());
  }
}

TEST(LmpoStatistics, RefusesAStateThatIsNotOne) {
  const auto objective = make_objective("lmpo", {});
  EXPECT_THROW(objective->restore(json::object()), UserError);
  EXPECT_THROW(objective->restore({{"started", 3}}), UserError);
}

TEST(LmpoStatistics, APairThatIsNotFiniteLeavesNoTrace) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto zscore : {ZscoreMode::ema, ZscoreMode::running}) {
    ObjectiveOptions options;
    options.zscore = zscore;
    const auto with = make_objective("lmpo", options);
    const auto without = make_objective("lmpo", options);
    Batch batch = testing::typical_batch(6, 9);
    const auto clean = run_step(*without, batch);
    batch.insert(batch.begin() + 2, {{.logp = nan, .tokens = 4}, {.logp = -3, .tokens = 2}});
    const auto result = run_step(*with, batch);
    EXPECT_TRUE(std::isnan(result.losses[2]));
    EXPECT_EQ(with->state(), without->state());
    EXPECT_EQ(result.metrics, clean.metrics);
  }
}

}  // namespace
}  // namespace lmpo::lmpo_statistics_test

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "objective/statistics.h"
#include "objective/testing.h"

namespace lmpo {
namespace {

using testing::Batch;
using testing::Complex;
using testing::Pair;
using testing::run_step;

constexpr std::array kMargins = {Margin::power5, Margin::cube, Margin::log, Margin::sigmoid};

// Sets the statistics that the next step uses.
void set_statistics(Objective& objective, double mean, double deviation) {
  objective.restore({{"started", true},
                     {"mean", mean},
                     {"deviation", deviation},
                     {"count", 0},
                     {"seen_mean", 0.0},
                     {"seen_squares", 0.0}});
}

// The margin as docs/method.md writes it.
Complex reference_margin(const ObjectiveOptions& options, Complex s_w, long double n_w, Complex s_l,
                         long double n_l) {
  const bool average = options.length_normalization == LengthNormalization::average;
  const Complex p_w = std::exp(s_w / n_w * (average ? (n_w + n_l) / (2 * n_w) : 1.0L));
  const Complex p_l = std::exp(s_l / n_l * (average ? (n_w + n_l) / (2 * n_l) : 1.0L));
  const Complex delta = p_w - p_l;
  const auto guarded = [](Complex z) { return z.real() < 1e-6L ? Complex(1e-6L) : z; };
  Complex shape;
  switch (options.margin) {
    case Margin::power5:
      shape = 1.0L - delta * delta * delta * delta * delta;
      break;
    case Margin::cube:
      shape = 1.0L - delta * delta * delta;
      break;
    case Margin::log:
      shape = std::log(guarded(1.0L - delta) / guarded(1.0L + delta)) /
                  static_cast<long double>(options.margin_alpha) +
              0.5L;
      break;
    case Margin::sigmoid:
      shape = 1.0L / (1.0L + std::exp(delta / static_cast<long double>(options.margin_beta)));
      break;
  }
  return static_cast<long double>(options.margin_scale) * (1.0L - p_w) * shape;
}

Complex reference_loss(const ObjectiveOptions& options, Complex s_w, long double n_w, Complex s_l,
                       long double n_l, long double mean, long double deviation) {
  const long double beta = options.beta;
  Complex margin = reference_margin(options, s_w, n_w, s_l, n_l);
  if (options.margin_gradient == MarginGradient::detach) {
    margin = margin.real();
  }
  const Complex mbar = (margin - mean) / deviation;
  const Complex d =
      beta * s_w / n_w - beta * s_l / n_l - static_cast<long double>(options.lambda) * mbar;
  return testing::complex_softplus(static_cast<long double>(*options.home_advantage) - d);
}

struct Case {
  Margin margin;
  LengthNormalization length;
  MarginGradient gradient;
};

class Derivatives : public ::testing::TestWithParam<Case> {};

TEST_P(Derivatives, EqualTheComplexStep) {
  ObjectiveOptions options;
  options.margin = GetParam().margin;
  options.length_normalization = GetParam().length;
  options.margin_gradient = GetParam().gradient;
  options.margin_alpha = 1.7;
  options.margin_beta = 0.6;
  options.margin_scale = 0.8;
  options.lambda = 0.7;
  options.home_advantage = 0.9;
  const double mean = 0.31;
  const double deviation = 0.12;
  const auto objective = make_objective("lmpo", options);

  for (const Pair& pair : testing::random_batch(4000, 7)) {
    set_statistics(*objective, mean, deviation);
    const auto result = run_step(*objective, {pair});
    const auto n_w = static_cast<long double>(pair[0].tokens);
    const auto n_l = static_cast<long double>(pair[1].tokens);
    const Complex step(0, testing::kComplexStep);
    const Complex by_chosen = reference_loss(options, Complex(pair[0].logp) + step, n_w,
                                             pair[1].logp, n_l, mean, deviation);
    const Complex by_rejected = reference_loss(options, pair[0].logp, n_w,
                                               Complex(pair[1].logp) + step, n_l, mean, deviation);
    const std::array expected = {static_cast<double>(by_chosen.imag() / testing::kComplexStep),
                                 static_cast<double>(by_rejected.imag() / testing::kComplexStep)};
    const auto value = static_cast<double>(by_chosen.real());
    ASSERT_NEAR(result.loss, value, 1e-10 * std::abs(value) + 1e-17)
        << pair[0].logp << "/" << n_w << " " << pair[1].logp << "/" << n_l;
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_NEAR(result.seeds[0][i], expected[i], 1e-10 * std::abs(expected[i]) + 1e-17)
          << pair[0].logp << "/" << n_w << " " << pair[1].logp << "/" << n_l;
    }
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Margin margin : kMargins) {
    for (const auto length : {LengthNormalization::average, LengthNormalization::none}) {
      for (const auto gradient : {MarginGradient::detach, MarginGradient::full}) {
        cases.push_back({margin, length, gradient});
      }
    }
  }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  return fmt::format("{}_{}_{}", choice_names(c.margin)[static_cast<std::size_t>(c.margin)],
                     c.length == LengthNormalization::average ? "average" : "plain",
                     c.gradient == MarginGradient::full ? "full" : "detached");
}
INSTANTIATE_TEST_SUITE_P(Lmpo, Derivatives, ::testing::ValuesIn(all_cases()), case_name);

TEST(Lmpo, LambdaZeroIsSimpoToTheLastBit) {
  for (const auto zscore :
       {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code, ZscoreMode::none}) {
    ObjectiveOptions options;
    options.lambda = 0;
    options.beta = 2.5;
    options.home_advantage = 1.375;
    options.zscore = zscore;
    options.margin_gradient = MarginGradient::full;
    ObjectiveOptions simpo_options;
    simpo_options.beta = 2.5;
    simpo_options.gamma = 1.375;
    const auto lmpo = make_objective("lmpo", options);
    const auto simpo = make_objective("simpo", simpo_options);
    for (std::uint64_t step = 0; step < 5; ++step) {
      const Batch batch = testing::random_batch(33, step);
      const auto ours = run_step(*lmpo, batch);
      const auto theirs = run_step(*simpo, batch);
      EXPECT_EQ(ours.losses, theirs.losses);
      EXPECT_EQ(ours.seeds, theirs.seeds);
      for (const auto& [name, value] : theirs.metrics) {
        EXPECT_EQ(ours.metrics.at(name), value) << name;
      }
    }
  }
}

TEST(Lmpo, DetachedIsSimpoWithATargetForEachPair) {
  ObjectiveOptions options;
  options.lambda = 0.4;
  const double mean = 0.6;
  const double deviation = 0.2;
  const auto lmpo = make_objective("lmpo", options);
  options.home_advantage = 1.6;
  for (const Pair& pair : testing::random_batch(500, 3)) {
    const long double m =
        reference_margin(options, pair[0].logp, pair[0].tokens, pair[1].logp, pair[1].tokens)
            .real();
    ObjectiveOptions simpo_options;
    simpo_options.gamma = 1.6 + 0.4 * (static_cast<double>(m) - mean) / deviation;
    const auto simpo = make_objective("simpo", simpo_options);
    set_statistics(*lmpo, mean, deviation);
    const auto ours = run_step(*lmpo, {pair});
    const auto theirs = run_step(*simpo, {pair});
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(ours.seeds[0][i], theirs.seeds[0][i], 1e-12 * std::abs(theirs.seeds[0][i]));
    }
    EXPECT_NEAR(ours.loss, theirs.loss, 1e-12 * theirs.loss);
  }
}

TEST(Lmpo, WithoutZscoreTheMarginItselfIsUsed) {
  for (const Margin margin : kMargins) {
    ObjectiveOptions options;
    options.margin = margin;
    options.zscore = ZscoreMode::none;
    options.home_advantage = 1.0;
    const auto objective = make_objective("lmpo", options);
    EXPECT_FALSE(objective->needs_batch_scores());
    const Pair pair = testing::typical_batch(1, 5)[0];
    const Complex expected =
        reference_loss(options, pair[0].logp, pair[0].tokens, pair[1].logp, pair[1].tokens, 0, 1);
    EXPECT_NEAR(run_step(*objective, {pair}).loss, static_cast<double>(expected.real()), 1e-14);
  }
}

// A z-score does not see the scale of what it normalises.
TEST(Lmpo, MarginScaleChangesOnlyWhatIsNotNormalised) {
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
TEST(Lmpo, CodeModeFollowsThePublishedTrainer) {
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

TEST(Lmpo, FirstBatchStartsTheStatisticsAndLaterOnesUseThePast) {
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

TEST(Lmpo, EvaluationMovesNothing) {
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
TEST(Lmpo, AnEvaluationsLossMovesWithItsScoresAlone) {
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

TEST(Lmpo, StateSurvivesItsTextBitForBit) {
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

TEST(Lmpo, RefusesAStateThatIsNotOne) {
  const auto objective = make_objective("lmpo", {});
  EXPECT_THROW(objective->restore(json::object()), UserError);
  EXPECT_THROW(objective->restore({{"started", 3}}), UserError);
}

TEST(Lmpo, StaysFiniteOnBatchesOfOnePairAndOfEqualPairs) {
  for (const Margin margin : kMargins) {
    for (const auto zscore :
         {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code, ZscoreMode::none}) {
      ObjectiveOptions options;
      options.margin = margin;
      options.zscore = zscore;
      options.margin_gradient = MarginGradient::full;
      const auto objective = make_objective("lmpo", options);
      const auto expect_finite = [&](const Batch& batch) {
        const auto result = run_step(*objective, batch);
        EXPECT_TRUE(std::isfinite(result.loss));
        for (const auto& seeds : result.seeds) {
          EXPECT_TRUE(std::isfinite(seeds[0]) && std::isfinite(seeds[1]));
        }
        for (const auto& [name, value] : result.metrics) {
          EXPECT_TRUE(std::isfinite(value)) << name;
        }
      };
      const Pair equal = {{.logp = -12, .tokens = 9}, {.logp = -12, .tokens = 9}};
      expect_finite({equal});
      expect_finite({equal, equal, equal});
      expect_finite({{{.logp = -1e4, .tokens = 1}, {.logp = 0, .tokens = 1}}});
      expect_finite({{{.logp = 0, .tokens = 1}, {.logp = -1e4, .tokens = 1}}});
      expect_finite({{{.logp = 1e-12, .tokens = 3}, {.logp = -1e-300, .tokens = 4000}}});
      for (std::uint64_t step = 0; step < 50; ++step) {
        expect_finite(testing::random_batch(1 + step % 3, step));
      }
    }
  }
}

TEST(Lmpo, APairThatIsNotFiniteLeavesNoTrace) {
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

TEST(Lmpo, HomeAdvantageIsGivenOneWay) {
  ObjectiveOptions options;
  options.beta = 2.5;
  options.lambda = 0;
  options.gamma_beta_ratio = 0.55;
  const Batch batch = testing::typical_batch(4, 4);
  const double by_ratio = run_step(*make_objective("lmpo", options), batch).loss;
  options.gamma_beta_ratio.reset();
  options.home_advantage = 0.55 * 2.5;
  EXPECT_EQ(run_step(*make_objective("lmpo", options), batch).loss, by_ratio);
  options.gamma_beta_ratio = 0.55;
  EXPECT_THROW(make_objective("lmpo", options), UserError);
}

TEST(Lmpo, ReportsTheMetricsOfThePair) {
  ObjectiveOptions options;
  options.zscore = ZscoreMode::none;
  const auto objective = make_objective("lmpo", options);
  const auto metrics =
      run_step(*objective, {{{.logp = -4, .tokens = 8}, {.logp = -9, .tokens = 6}},
                            {{.logp = -6, .tokens = 2}, {.logp = -4, .tokens = 4}}})
          .metrics;
  EXPECT_EQ(metrics.at("rewards/chosen"), 2 * (-0.5 - 3) / 2);
  EXPECT_EQ(metrics.at("rewards/rejected"), 2 * (-1.5 - 1) / 2);
  EXPECT_EQ(metrics.at("rewards/margins"), (2.0 - 4.0) / 2);
  EXPECT_EQ(metrics.at("rewards/accuracies"), 0.5);
  EXPECT_EQ(metrics.at("logps/chosen"), (-0.5 - 3) / 2);
  EXPECT_EQ(metrics.at("logps/rejected"), (-1.5 - 1) / 2);
  EXPECT_EQ(metrics.at("logps_per_token/chosen"), (-0.5 - 3) / 2);
  EXPECT_EQ(metrics.at("logps_per_token/rejected"), (-1.5 - 1) / 2);
  EXPECT_EQ(metrics.at("logps_sum/chosen"), -5);
  EXPECT_EQ(metrics.at("logps_sum/rejected"), -6.5);
  EXPECT_EQ(metrics.at("lengths/chosen"), 5);
  EXPECT_EQ(metrics.at("lengths/rejected"), 5);
  EXPECT_EQ(metrics.at("lmpo/margin_mean"), 0);
  EXPECT_EQ(metrics.at("lmpo/margin_std"), 1);
  EXPECT_GT(metrics.at("lmpo/margin_term"), 0);
  EXPECT_FALSE(metrics.contains("nll_loss"));
}

}  // namespace
}  // namespace lmpo

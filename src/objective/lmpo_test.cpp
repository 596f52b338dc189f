// LMPO's loss of one pair: derivatives, and the identities with SimPO.
#include <gtest/gtest.h>

#include "base/error.h"
#include "objective/testing.h"

namespace lmpo::lmpo_test {
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
}  // namespace lmpo::lmpo_test

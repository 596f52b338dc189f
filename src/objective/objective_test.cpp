// sft, simpo, the registry and the numbers that all objectives share.
#include "objective/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "objective/metric_names.h"
#include "objective/registry.h"
#include "objective/testing.h"

namespace lmpo::objective_test {
namespace {

using testing::Batch;
using testing::Complex;
using testing::Pair;
using testing::run_step;

TEST(Numbers, SoftplusAndSigmoidNeverOverflow) {
  EXPECT_EQ(softplus(0), std::log(2.0));
  EXPECT_EQ(softplus(1e300), 1e300);
  EXPECT_EQ(softplus(-1e300), 0);
  EXPECT_NEAR(softplus(-40), std::exp(-40.0), 1e-12 * std::exp(-40.0));
  EXPECT_EQ(sigmoid(0), 0.5);
  EXPECT_EQ(sigmoid(1e300), 1);
  EXPECT_EQ(sigmoid(-1e300), 0);
  for (double z = -700; z < 700; z += 0.37) {
    EXPECT_NEAR(softplus(z) - softplus(-z), z, 1e-12 * (1 + std::abs(z)));
    EXPECT_NEAR(sigmoid(z) + sigmoid(-z), 1, 1e-15);
    EXPECT_GT(sigmoid(z), 0);
  }
}

TEST(MetricSums, MeansAreWeightedAndMerge) {
  MetricSums sums;
  sums.add("a", 1);
  sums.add("a", 2);
  sums.add("nll", 3.0, 10);
  MetricSums other;
  other.add("nll", 6.0, 20);
  other.add("b", 7);
  sums.merge(other);
  EXPECT_THAT(sums.means(),
              ::testing::ElementsAre(::testing::Pair("a", 1.5), ::testing::Pair("b", 7.0),
                                     ::testing::Pair("nll", 5.0)));
  sums.clear();
  EXPECT_TRUE(sums.means().empty());
}

TEST(Registry, KnowsItsObjectivesAndNamesTheNearest) {
  std::vector<std::string_view> names;
  for (const auto& info : objectives()) {
    names.push_back(info.name);
    EXPECT_FALSE(info.summary.empty());
    EXPECT_FALSE(info.formula.empty());
    EXPECT_NE(info.make(info.defaults), nullptr);
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("sft", "dpo", "ipo", "hinge", "slic", "cpo", "kto", "orpo",
                                     "simpo", "rdpo", "simper", "pro", "rrhf", "lmpo"));
  EXPECT_EQ(find_objective("simpo").name, "simpo");
  EXPECT_TRUE(find_objective("lmpo").uses("lambda"));
  EXPECT_FALSE(find_objective("simpo").uses("lambda"));
  try {
    find_objective("simop");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean 'simpo'?"));
  }
}

// One axis for every method: logps_per_token/* and logps_sum/* mean the same in all of them, and
// logps/* is the one or the other.
TEST(Registry, LogProbabilitiesHaveTheSameNamesInEveryMethod) {
  const Pair pair = {{.logp = -4, .reference_logp = -5, .tokens = 8},
                     {.logp = -9, .reference_logp = -7, .tokens = 6}};
  for (const auto& info : objectives()) {
    const auto objective = info.make(info.defaults);
    Batch batch = {pair};
    const bool alone =
        objective->form() == ExampleForm::single || objective->form() == ExampleForm::labelled;
    if (alone) {
      batch = {{pair[0]}, {pair[1]}};
      batch[1][0].desirable = false;
    }
    if (objective->extra() != ExtraResponse::none) {
      std::ranges::for_each(batch, [](auto& example) { example.push_back(example[0]); });
    }
    const auto metrics = run_step(*objective, batch).metrics;
    if (objective->form() == ExampleForm::single) {  // all responses count as chosen
      EXPECT_EQ(metrics.at("logps_per_token/chosen"), (-4.0 / 8 - 9.0 / 6) / 2);
      EXPECT_EQ(metrics.at("logps_sum/chosen"), -6.5);
      continue;
    }
    EXPECT_EQ(metrics.at("logps_per_token/chosen"), -4.0 / 8) << info.name;
    EXPECT_EQ(metrics.at("logps_per_token/rejected"), -9.0 / 6) << info.name;
    EXPECT_EQ(metrics.at("logps_sum/chosen"), -4) << info.name;
    EXPECT_EQ(metrics.at("logps_sum/rejected"), -9) << info.name;
    EXPECT_THAT(metrics.at("logps/chosen"), ::testing::AnyOf(-4.0, -4.0 / 8)) << info.name;
    EXPECT_EQ(metrics.at("lengths/rejected"), 6) << info.name;
  }
}

TEST(Sft, IsTheTokenMeanHoweverTheBatchIsCut) {
  const Batch batch = {{{.logp = -3, .tokens = 2}}, {{.logp = -10, .tokens = 30}}};
  const auto objective = make_objective("sft", {});
  EXPECT_EQ(objective->form(), ExampleForm::single);
  const auto result = run_step(*objective, batch);
  EXPECT_DOUBLE_EQ(result.loss, 13.0 / 32);
  EXPECT_DOUBLE_EQ(result.metrics.at("nll_loss"), 13.0 / 32);
  EXPECT_DOUBLE_EQ(result.metrics.at("lengths/chosen"), 16);
  for (const auto& seeds : result.seeds) {
    EXPECT_DOUBLE_EQ(seeds[0], -1.0 / 32);
  }
}

struct SimpoCase {
  PairLossType loss_type;
  double label_smoothing;
  double sft_weight;
};

class SimpoDerivatives : public ::testing::TestWithParam<SimpoCase> {};

TEST_P(SimpoDerivatives, EqualTheComplexStep) {
  ObjectiveOptions options;
  options.beta = 2.5;
  options.gamma_beta_ratio = 0.3;
  options.loss_type = GetParam().loss_type;
  options.label_smoothing = GetParam().label_smoothing;
  options.sft_weight = GetParam().sft_weight;
  const auto objective = make_objective("simpo", options);

  const auto reference = [&](Complex s_w, long double n_w, Complex s_l, long double n_l) {
    const Complex z = 2.5L * (s_w / n_w - s_l / n_l) - 0.3L * 2.5L;
    const long double e = options.label_smoothing;
    Complex loss;
    if (options.loss_type == PairLossType::hinge) {
      loss = z.real() < 1 ? 1.0L - z : Complex(0);
    } else {
      loss = (1 - e) * testing::complex_softplus(-z) + e * testing::complex_softplus(z);
    }
    return loss - static_cast<long double>(options.sft_weight) * s_w / n_w;
  };
  for (const Pair& pair : testing::random_batch(4000, 21)) {
    const auto result = run_step(*objective, {pair});
    const auto n_w = static_cast<long double>(pair[0].tokens);
    const auto n_l = static_cast<long double>(pair[1].tokens);
    const Complex step(0, testing::kComplexStep);
    const Complex by_chosen = reference(Complex(pair[0].logp) + step, n_w, pair[1].logp, n_l);
    const Complex by_rejected = reference(pair[0].logp, n_w, Complex(pair[1].logp) + step, n_l);
    const std::array expected = {static_cast<double>(by_chosen.imag() / testing::kComplexStep),
                                 static_cast<double>(by_rejected.imag() / testing::kComplexStep)};
    const auto value = static_cast<double>(by_chosen.real());
    ASSERT_NEAR(result.loss, value, 1e-12 * std::abs(value) + 1e-17);
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_NEAR(result.seeds[0][i], expected[i], 1e-11 * std::abs(expected[i]) + 1e-17);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Simpo, SimpoDerivatives,
                         ::testing::Values(SimpoCase{PairLossType::sigmoid, 0, 0},
                                           SimpoCase{PairLossType::sigmoid, 0.1, 0},
                                           SimpoCase{PairLossType::sigmoid, 0.1, 0.4},
                                           SimpoCase{PairLossType::hinge, 0, 0},
                                           SimpoCase{PairLossType::hinge, 0, 0.4}));

TEST(Simpo, NllIsNormalisedOverTheGlobalBatch) {
  ObjectiveOptions options;
  const Batch batch = testing::typical_batch(10, 1);
  const double plain = run_step(*make_objective("simpo", options), batch).loss;
  options.sft_weight = 0.3;
  const auto result = run_step(*make_objective("simpo", options), batch);
  double sum = 0;
  double tokens = 0;
  for (const auto& pair : batch) {
    sum -= pair[0].logp;
    tokens += static_cast<double>(pair[0].tokens);
  }
  EXPECT_NEAR(result.loss, plain + 0.3 * sum / tokens, 1e-14);
  EXPECT_NEAR(result.metrics.at("nll_loss"), sum / tokens, 1e-14);
}

TEST(Simpo, GammaIsGivenOneWay) {
  const Batch batch = testing::typical_batch(10, 2);
  ObjectiveOptions options;
  const double by_default = run_step(*make_objective("simpo", options), batch).loss;
  options.gamma = 0.5;
  EXPECT_EQ(run_step(*make_objective("simpo", options), batch).loss, by_default);
  options.gamma_beta_ratio = 0.25;
  EXPECT_THROW(make_objective("simpo", options), UserError);
}

// Equal responses: the loss is the target alone, and the seeds are opposite.
TEST(Simpo, EqualResponses) {
  const Pair equal = {{.logp = -12, .tokens = 9}, {.logp = -12, .tokens = 9}};
  const auto result = run_step(*make_objective("simpo", {}), {equal});
  EXPECT_DOUBLE_EQ(result.loss, std::log1p(std::exp(0.5)));
  EXPECT_EQ(result.seeds[0][0], -result.seeds[0][1]);
  EXPECT_EQ(result.metrics.at("rewards/accuracies"), 0);
}

TEST(MetricNames, AreThoseOfAnEvaluation) {
  for (const ObjectiveInfo& info : objectives()) {
    const std::vector<std::string> names = metric_names(*info.make(info.defaults));
    if (info.name != "sft") {
      EXPECT_NE(std::ranges::find(names, "rewards/chosen"), names.end()) << info.name;
    }
  }
}

}  // namespace
}  // namespace lmpo::objective_test

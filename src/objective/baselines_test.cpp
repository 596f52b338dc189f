// The other objectives: values and derivatives against their formulas, written out for complex
// numbers, and what each must do at points where the answer is known.
#include <gmock/gmock.h>

#include <functional>

#include "base/error.h"
#include "objective/testing.h"

namespace lmpo::baselines_test {
namespace {

using testing::Batch;
using testing::Complex;
using testing::complex_softplus;
using testing::kComplexStep;
using testing::Pair;
using testing::run_step;

using Values = std::vector<Complex>;  // s of each response

long double real(double x) {
  return static_cast<long double>(x);
}

Complex ratio(const Pair& example, const Values& s, std::size_t i) {
  return s[i] - real(example[i].reference_logp);
}

Complex average(const Pair& example, const Values& s, std::size_t i) {
  return s[i] / static_cast<long double>(example[i].tokens);
}

Complex positive_part(Complex z) {
  return z.real() > 0 ? z : Complex(0);
}

// log(e^a / (1 - e^a)), for a well below zero: exp and log of long double are precise enough there.
Complex log_odds(Complex a) {
  const Complex rest = a.real() > -1e-3L ? -(a + a * a / 2.0L + a * a * a / 6.0L +
                                             a * a * a * a / 24.0L + a * a * a * a * a / 120.0L)
                                         : 1.0L - std::exp(a);
  return a - std::log(rest);
}

struct Formula {
  std::string name;
  ObjectiveOptions options;
  std::size_t responses;
  // The example's loss before division by the batch's size, without an NLL.
  std::function<Complex(const Pair&, const Values&, const ObjectiveOptions&)> loss;
  double nll_weight = 0;
  std::size_t nll_response = 0;
  // Random points are this many times closer to zero, so that exponentials stay above underflow.
  double mildness = 1;
};

void PrintTo(const Formula& formula, std::ostream* out) {
  *out << formula.name;
}

Complex logistic(Complex z, double smoothing) {
  return (1 - real(smoothing)) * complex_softplus(-z) + real(smoothing) * complex_softplus(z);
}

std::vector<Formula> formulas() {
  const auto dpo_z = [](const Pair& e, const Values& s, const ObjectiveOptions& o) {
    return real(o.beta) * (ratio(e, s, 0) - ratio(e, s, 1));
  };
  const auto pro = [](const Pair& e, const Values& s, const ObjectiveOptions&) {
    Complex loss = 0;
    for (std::size_t k = 0; k + 1 < s.size(); ++k) {
      Complex sum = 0;
      for (std::size_t i = k; i < s.size(); ++i) {
        sum += std::exp(average(e, s, i) - average(e, s, k));
      }
      loss += std::log(sum);
    }
    return loss;
  };
  const auto rrhf = [](const Pair& e, const Values& s, const ObjectiveOptions&) {
    Complex loss = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      for (std::size_t j = i + 1; j < s.size(); ++j) {
        loss += positive_part(average(e, s, j) - average(e, s, i));
      }
    }
    return loss;
  };
  const auto orpo = [](const Pair& e, const Values& s, const ObjectiveOptions& o) {
    return real(o.beta) * complex_softplus(log_odds(average(e, s, 1)) - log_odds(average(e, s, 0)));
  };
  return {
      {"dpo",
       {.beta = 0.1, .label_smoothing = 0.1},
       2,
       [=](const auto& e, const auto& s, const auto& o) {
         return logistic(dpo_z(e, s, o), o.label_smoothing);
       }},
      {"dpo",
       {.beta = 0.3},
       2,
       [=](const auto& e, const auto& s, const auto& o) { return logistic(dpo_z(e, s, o), 0); }},
      {"hinge",
       {.beta = 0.05},
       2,
       [=](const auto& e, const auto& s, const auto& o) {
         return positive_part(1.0L - dpo_z(e, s, o));
       }},
      {"ipo",
       {.beta = 0.1},
       2,
       [](const auto& e, const auto& s, const auto& o) {
         const Complex distance = ratio(e, s, 0) / static_cast<long double>(e[0].tokens) -
                                  ratio(e, s, 1) / static_cast<long double>(e[1].tokens) -
                                  1.0L / (2.0L * real(o.beta));
         return distance * distance;
       }},
      {"dpo",
       {.beta = 0.1, .sft_weight = 0.7},
       2,
       [=](const auto& e, const auto& s, const auto& o) { return logistic(dpo_z(e, s, o), 0); },
       0.7},
      {"slic",
       {.delta = 2, .lambda = 0.5},
       2,
       [](const auto&, const auto& s, const auto& o) {
         return positive_part(real(o.delta) - s[0] + s[1]) - real(o.lambda) * s[0];
       }},
      {"cpo",
       {.beta = 0.1, .label_smoothing = 0.2, .cpo_alpha = 0.7},
       2,
       [](const auto&, const auto& s, const auto& o) {
         return logistic(real(o.beta) * (s[0] - s[1]), o.label_smoothing);
       },
       0.7},
      {"rdpo",
       {.beta = 0.1, .rdpo_alpha = 0.02},
       2,
       [=](const auto& e, const auto& s, const auto& o) {
         return logistic(dpo_z(e, s, o) - real(o.rdpo_alpha) *
                                              static_cast<long double>(e[0].tokens - e[1].tokens),
                         0);
       }},
      {"simper",
       {},
       2,
       [](const auto& e, const auto& s, const auto&) {
         return -std::exp(average(e, s, 0)) + std::exp(average(e, s, 1));
       }},
      {"orpo", {.beta = 0.4}, 3, orpo, 1, 2},
      {"orpo", {.beta = 0.4, .nll_on = NllTokens::response}, 2, orpo, 1},
      {"pro", {.sft_weight = 0.05}, 4, pro, 0.05, 0, 100},
      {"pro", {.sft_weight = 0}, 2, pro, 0, 0, 100},
      {"rrhf", {.sft_weight = 1}, 5, rrhf, 1},
  };
}

class Baseline : public ::testing::TestWithParam<Formula> {
 protected:
  static Batch random_examples(std::uint64_t seed) {
    Batch batch;
    Random random(seed, 7);
    for (int i = 0; i < 50; ++i) {
      Pair example;
      for (std::size_t r = 0; r < GetParam().responses; ++r) {
        ResponseScore response = testing::random_response(random);
        response.logp /= GetParam().mildness;
        response.reference_logp = response.logp * (0.5 + random.uniform());
        example.push_back(response);
      }
      batch.push_back(example);
    }
    return batch;
  }
};

INSTANTIATE_TEST_SUITE_P(All, Baseline, ::testing::ValuesIn(formulas()));

TEST_P(Baseline, ValueAndDerivativesEqualTheFormula) {
  const Formula& formula = GetParam();
  const auto objective = make_objective(formula.name, formula.options);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {  // 2,000 examples
    const Batch batch = random_examples(seed);
    const auto result = run_step(*objective, batch);
    const auto totals = testing::totals_of(batch, true, formula.nll_response);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Pair& example = batch[i];
      Values s;
      for (const ResponseScore& response : example) {
        s.emplace_back(real(response.logp));
      }
      const auto whole = [&](const Values& values) {
        return formula.loss(example, values, formula.options) / 50.0L -
               real(formula.nll_weight) * values[formula.nll_response] /
                   static_cast<long double>(totals.nll_tokens);
      };
      const auto expected = static_cast<double>(whole(s).real());
      ASSERT_TRUE(std::isfinite(result.losses[i]));
      // Log odds of zero are infinite, ours are bounded; and rounding decides rrhf's ties there.
      const bool apart = std::none_of(example.begin(), example.end(), [](const auto& response) {
        return response.logp / static_cast<double>(response.tokens) > -1e-14;
      });
      const bool comparable = apart || (formula.name != "orpo" && formula.name != "rrhf");
      if (comparable) {
        ASSERT_NEAR(result.losses[i], expected, 1e-10 * (1e-3 + std::abs(expected))) << i;
      }
      for (std::size_t r = 0; r < s.size(); ++r) {
        ASSERT_TRUE(std::isfinite(result.seeds[i][r]));
        Values moved = s;
        moved[r] += Complex(0, kComplexStep);
        const auto slope = static_cast<double>(whole(moved).imag() / kComplexStep);
        if (comparable) {
          ASSERT_NEAR(result.seeds[i][r], slope, 1e-10 * (1e-10 + std::abs(slope)))
              << "example " << i << " response " << r << " s " << example[r].logp;
        }
      }
    }
  }
}

Pair pair_of(double s_w, double s_l, double r_w, double r_l) {
  return {{.logp = s_w, .reference_logp = r_w, .tokens = 10},
          {.logp = s_l, .reference_logp = r_l, .tokens = 20}};
}

TEST(Dpo, AtTheReferenceTheLossIsLn2) {
  for (const char* name : {"dpo", "rdpo"}) {
    const auto objective = make_objective(name, {.beta = 0.1});
    const auto result = run_step(*objective, {pair_of(-12.5, -40, -12.5, -40)});
    EXPECT_EQ(result.loss, std::log(2.0)) << name;
    EXPECT_EQ(result.seeds[0][0], -0.05);
    EXPECT_TRUE(objective->needs_reference());
  }
}

TEST(Dpo, LossTypesAreObjectivesOfTheirOwn) {
  const Batch batch = {pair_of(-12, -41, -13, -37), pair_of(-30, -5, -33, -6)};
  for (const auto& [type, name] :
       {std::pair(PairLossType::hinge, "hinge"), std::pair(PairLossType::ipo, "ipo")}) {
    const auto typed = run_step(*make_objective("dpo", {.beta = 0.1, .loss_type = type}), batch);
    const auto named = run_step(*make_objective(name, {.beta = 0.1}), batch);
    EXPECT_EQ(typed.loss, named.loss);
    EXPECT_EQ(typed.seeds, named.seeds);
  }
}

TEST(Ipo, IsZeroAtItsMargin) {
  // 1 / (2 beta) = 5 a token more than the reference, at 10 and 20 tokens.
  const auto result = run_step(*make_objective("ipo", {.beta = 0.1}), {pair_of(-20, -40, -50, 0)});
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.seeds[0], std::vector<double>({0, 0}));
}

TEST(Rdpo, WithoutAPriceItIsDpo) {
  const Batch batch = {pair_of(-12, -41, -13, -37)};
  EXPECT_EQ(run_step(*make_objective("rdpo", {.beta = 0.1, .rdpo_alpha = 0}), batch).loss,
            run_step(*make_objective("dpo", {.beta = 0.1}), batch).loss);
  // A longer rejected response makes the margin larger.
  EXPECT_LT(run_step(*make_objective("rdpo", {.beta = 0.1, .rdpo_alpha = 0.1}), batch).loss,
            run_step(*make_objective("dpo", {.beta = 0.1}), batch).loss);
}

TEST(Pro, OfTwoIsTheLogisticLoss) {
  const Batch batch = {pair_of(-12, -41, 0, 0)};
  EXPECT_NEAR(run_step(*make_objective("pro", {.sft_weight = 0}), batch).loss,
              softplus(-41.0 / 20 + 12.0 / 10), 1e-15);
}

TEST(Rrhf, AListInOrderCostsNothing) {
  Pair list;
  for (const double s : {-1.0, -2.0, -3.0}) {
    list.push_back({.logp = s, .tokens = 1});
  }
  EXPECT_EQ(run_step(*make_objective("rrhf", {.sft_weight = 0}), {list}).loss, 0);
}

class Kto : public ::testing::Test {
 protected:
  // [response, mismatched]
  static Pair example(bool desirable, double z, double mismatched_z) {
    return {{.logp = -10 + z, .reference_logp = -10, .tokens = 4, .desirable = desirable},
            {.logp = -20 + mismatched_z, .reference_logp = -20, .tokens = 6}};
  }
};

TEST_F(Kto, EqualsItsFormula) {
  const ObjectiveOptions options = {.beta = 0.1, .desirable_weight = 2, .undesirable_weight = 0.5};
  const Batch batch = {example(true, 3, 1), example(false, 2, 4), example(false, -5, -2)};
  const auto result = run_step(*make_objective("kto", options), batch);
  const double z0 = 1;  // (1 + 4 - 2) / 3
  const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
  const double expected = (2 * (1 - sigma(0.1 * (3 - z0))) + 0.5 * (1 - sigma(0.1 * (z0 - 2))) +
                           0.5 * (1 - sigma(0.1 * (z0 + 5)))) /
                          3;
  EXPECT_NEAR(result.loss, expected, 1e-15);
  EXPECT_NEAR(result.metrics.at("kl"), z0, 1e-12);
  EXPECT_NEAR(result.metrics.at("rewards/chosen"), 0.3, 1e-15);
  EXPECT_NEAR(result.metrics.at("rewards/rejected"), -0.15, 1e-15);
  for (const auto& seeds : result.seeds) {
    EXPECT_EQ(seeds[1], 0);  // no gradient through z0
  }
}

TEST_F(Kto, SeedsAreDerivativesWithZ0Held) {
  const auto objective = make_objective("kto", {.beta = 0.3});
  Random random(3, 0);
  for (int i = 0; i < 200; ++i) {
    Batch batch;
    for (int k = 0; k < 3; ++k) {
      batch.push_back(
          example(random.uniform() < 0.5, 8 * random.uniform() - 4, 4 * random.uniform() - 1));
    }
    const auto result = run_step(*objective, batch);
    const long double z0 = result.metrics.at("kl");
    for (std::size_t k = 0; k < batch.size(); ++k) {
      const ResponseScore& response = batch[k][0];
      const Complex s(real(response.logp), kComplexStep);
      const Complex gain =
          real(response.desirable ? 0.3 : -0.3) * (s - real(response.reference_logp) - z0);
      const Complex loss = 1.0L / (1.0L + std::exp(gain)) / 3.0L;
      EXPECT_NEAR(result.losses[k], static_cast<double>(loss.real()), 1e-14);
      EXPECT_NEAR(result.seeds[k][0], static_cast<double>(loss.imag() / kComplexStep), 1e-14);
    }
  }
}

TEST_F(Kto, OneClassAndNegativeDivergence) {
  const auto objective = make_objective("kto", {.beta = 0.1});
  const auto result = run_step(*objective, {example(true, 0, -7)});
  EXPECT_EQ(result.metrics.at("kl"), 0);
  EXPECT_EQ(result.loss, 0.5);
  EXPECT_EQ(result.metrics.count("rewards/rejected"), 0u);
  const auto other = run_step(*objective, {example(false, 1e6, 0), example(false, -1e6, 0)});
  EXPECT_TRUE(std::isfinite(other.loss));
}

TEST(Options, ThatContradictEachOtherAreRefused) {
  EXPECT_THROW(make_objective("simpo", {.loss_type = PairLossType::ipo}), UserError);
  EXPECT_THROW(make_objective("cpo", {.loss_type = PairLossType::ipo}), UserError);
  EXPECT_THROW(make_objective("dpo", {.loss_type = PairLossType::hinge, .label_smoothing = 0.1}),
               UserError);
}

}  // namespace
}  // namespace lmpo::baselines_test

// Drawn tokens against distributions known in closed form.
#include "generate/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>
#include <vector>

namespace lmpo::sampling_test {
namespace {

// Logits whose softmax are these probabilities; a shift changes nothing.
std::vector<float> logits_of(const std::vector<double>& probabilities, double shift = 3) {
  std::vector<float> logits;
  for (const double p : probabilities) {
    logits.push_back(static_cast<float>(std::log(p) + shift));
  }
  return logits;
}

constexpr int draws = 40000;

std::vector<int> count_draws(const std::vector<float>& logits, const SamplingOptions& options) {
  std::vector<int> counts(logits.size(), 0);
  Random random(42, 0);
  for (int i = 0; i < draws; ++i) {
    ++counts[static_cast<std::size_t>(sample_token(logits, options, random))];
  }
  return counts;
}

// Pearson's statistic over the tokens that may come, with one degree of freedom less than they are.
double chi_square(const std::vector<int>& counts, const std::vector<double>& expected) {
  double statistic = 0;
  for (std::size_t token = 0; token < counts.size(); ++token) {
    if (expected[token] > 0) {
      const double mean = expected[token] * draws;
      statistic += (counts[token] - mean) * (counts[token] - mean) / mean;
    }
  }
  return statistic;
}

// Out of order, so that an answer by rank instead of by id is seen.
const std::vector<double> base = {0.2, 0.4, 0.1, 0.3};

struct Case {
  const char* name;
  SamplingOptions options;
  std::vector<double> weights;  // expected, up to their sum
};

void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

class Sampling : public ::testing::TestWithParam<Case> {};

TEST_P(Sampling, DrawsTheClosedFormDistribution) {
  std::vector<double> expected = GetParam().weights;
  const double total = std::accumulate(expected.begin(), expected.end(), 0.0);
  for (double& p : expected) {
    p /= total;
  }
  const std::vector<int> counts = count_draws(logits_of(base), GetParam().options);
  // The 99.9% quantile for three degrees of freedom; fewer have lower ones.
  EXPECT_LT(chi_square(counts, expected), 16.27);
  for (std::size_t token = 0; token < counts.size(); ++token) {
    EXPECT_EQ(counts[token] > 0, expected[token] > 0) << token;
  }
}

TEST(Greedy, TakesTheFirstOfTheLargest) {
  Random random(1, 0);
  for (const std::size_t size : {1U, 2U, 1023U, 1024U, 1025U, 5000U}) {
    std::vector<float> logits(size);
    for (std::size_t i = 0; i < size; ++i) {
      logits[i] = -1e30F - static_cast<float>(i % 7);
    }
    for (std::size_t first = size; first-- > 0; first -= std::min(first, size / 50)) {
      logits[first] = 3.0F;  // all that were the first before stay as large
      ASSERT_EQ(sample_token(logits, {.temperature = 0}, random), first);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Sampling,
    ::testing::Values(
        Case{"Plain", {}, base}, Case{"Greedy", {.temperature = 0}, {0, 1, 0, 0}},
        Case{"Cold", {.temperature = 0.5}, {0.04, 0.16, 0.01, 0.09}},
        Case{"Warm",
             {.temperature = 2},
             {std::sqrt(0.2), std::sqrt(0.4), std::sqrt(0.1), std::sqrt(0.3)}},
        Case{"NearlyZero", {.temperature = 1e-300}, {0, 1, 0, 0}},
        Case{"Flat", {.temperature = 1e30}, {1, 1, 1, 1}},
        Case{"TopTwo", {.top_k = 2}, {0, 0.4, 0, 0.3}}, Case{"TopOne", {.top_k = 1}, {0, 1, 0, 0}},
        Case{"TopMoreThanThereAre", {.top_k = 9}, base},
        Case{"NucleusOfOne", {.top_p = 0.39}, {0, 1, 0, 0}},
        Case{"NucleusOfTwo", {.top_p = 0.41}, {0, 0.4, 0, 0.3}},
        Case{"NucleusOfThree", {.top_p = 0.71}, {0.2, 0.4, 0, 0.3}},
        Case{"EmptyNucleusKeepsOne", {.top_p = 0}, {0, 1, 0, 0}},
        // Of the top two, the first has 4/7 > 0.5; without top_k the nucleus would hold two.
        Case{"TopKComesBeforeTopP", {.top_k = 2, .top_p = 0.5}, {0, 1, 0, 0}},
        // Squared, the first has 16/30 > 0.5.
        Case{"TemperatureComesBeforeTopP", {.temperature = 0.5, .top_p = 0.5}, {0, 1, 0, 0}},
        Case{"ColdTopThree", {.temperature = 0.5, .top_k = 3}, {0.04, 0.16, 0, 0.09}},
        Case{"AtLeastThreeFifthsAsLikely", {.min_p = 0.6}, {0, 0.4, 0, 0.3}},
        Case{"AsLikelyAsTheLikeliest", {.min_p = 1}, {0, 1, 0, 0}},
        // Entropy 1.28: the information of 0.3 is nearest (1.20), then of 0.2 (1.61) and 0.4 (0.92).
        Case{"TheMostTypical", {.typical_p = 0.25}, {0, 0, 0, 1}},
        Case{"TypicalOfTwo", {.typical_p = 0.45}, {0.2, 0, 0, 0.3}},
        Case{"TypicalOfThree", {.typical_p = 0.85}, {0.2, 0.4, 0, 0.3}},
        // Of the nucleus 0.4, 0.3 the entropy is 0.68: 0.4 / 0.7 has 0.56, 0.3 / 0.7 has 0.85.
        Case{"TopPComesBeforeTypical", {.top_p = 0.65, .typical_p = 0.5}, {0, 1, 0, 0}}),
    [](const auto& given) { return std::string(given.param.name); });

TEST(Penalties, ChangeTheLogitsOfWhatWasSaid) {
  const std::vector<std::int32_t> prompt = {0, 0, 1};
  const std::vector<std::int32_t> answer = {2, 3, 2};
  const auto adjusted = [&](const SamplingOptions& options) {
    std::vector<float> logits = {2, -2, 4, -4, 1};
    adjust_logits(logits, options, {.prompt = prompt, .answer = answer});
    return logits;
  };
  EXPECT_EQ(adjusted({.repetition_penalty = 2}), (std::vector<float>{1, -4, 2, -8, 1}));
  EXPECT_EQ(adjusted({.presence_penalty = 0.5}), (std::vector<float>{2, -2, 3.5, -4.5, 1}));
  EXPECT_EQ(adjusted({.frequency_penalty = 0.5}), (std::vector<float>{2, -2, 3, -4.5, 1}));
  EXPECT_EQ(adjusted({.logit_bias = {{4, 100}, {0, -100}}}),
            (std::vector<float>{-98, -2, 4, -4, 101}));
  Random random(1, 0);
  const std::vector<float> logits = {2, 1.9F, 0};
  const SamplingOptions once = {.temperature = 0, .presence_penalty = 0.5};
  EXPECT_EQ(choose_token(logits, once, {.prompt = {}, .answer = {}}, random), 0);
  const std::vector<std::int32_t> said = {0};
  EXPECT_EQ(choose_token(logits, once, {.prompt = said, .answer = {}}, random), 0);
  EXPECT_EQ(choose_token(logits, once, {.prompt = {}, .answer = said}, random), 1);
}

TEST(SamplingOrder, TheStatisticTellsDistributionsApart) {
  const std::vector<int> counts = count_draws(logits_of(base), {.temperature = 0.9});
  EXPECT_GT(chi_square(counts, base), 16.27);
}

TEST(SamplingOrder, EqualLogitsGoToTheSmallestId) {
  const std::vector<float> logits = {1, 5, 2, 5, 5};
  Random random(1, 0);
  EXPECT_EQ(sample_token(logits, {.temperature = 0}, random), 1);
  EXPECT_EQ(sample_token(logits, {.top_k = 1}, random), 1);
  EXPECT_EQ(sample_token(logits, {.top_p = 0.1}, random), 1);
  const std::vector<int> two = count_draws(logits, {.top_k = 2});
  EXPECT_EQ(two[1] + two[3], draws);
  EXPECT_EQ(count_draws(logits, {.top_p = 0.6}), two);
}

TEST(SamplingOrder, GreedyDrawsNothingAndADrawTakesOneNumber) {
  const std::vector<float> logits = logits_of(base);
  Random random(3, 5);
  sample_token(logits, {.temperature = 0}, random);
  sample_token(logits, {.top_k = 3, .top_p = 0.9}, random);
  Random other(3, 5);
  other.uniform();
  EXPECT_EQ(random.next(), other.next());
}

// A large vocabulary, where neither the selection nor the heap is a special case.
TEST(SamplingOrder, ANucleusOfAThousandTokensIsTheShortestPrefixOfTheSortedOnes) {
  Random random(8, 0);
  std::vector<float> logits(1000);
  for (float& logit : logits) {
    logit = static_cast<float>(2 * random.normal());
  }
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  std::vector<double> prefix = {0};  // mass of the likeliest
  for (int i = 0; i < 300; ++i) {
    prefix.push_back(prefix.back() +
                     std::exp(static_cast<double>(logits[order[static_cast<std::size_t>(i)]])));
  }
  const auto kept = static_cast<std::size_t>(
      std::lower_bound(prefix.begin(), prefix.end(), 0.8 * prefix.back()) - prefix.begin());
  std::vector<double> expected(logits.size(), 0.0);
  for (std::size_t i = 0; i < kept; ++i) {
    expected[order[i]] = std::exp(static_cast<double>(logits[order[i]])) / prefix[kept];
  }
  const std::vector<int> counts = count_draws(logits, {.top_k = 300, .top_p = 0.8});
  for (std::size_t token = 0; token < counts.size(); ++token) {
    EXPECT_EQ(counts[token] > 0, expected[token] > 0) << token;
  }
  // Mean plus four standard deviations of chi-square with kept - 1 degrees of freedom.
  const auto freedom = static_cast<double>(kept - 1);
  EXPECT_GT(kept, 50U);
  EXPECT_LT(chi_square(counts, expected), freedom + 4 * std::sqrt(2 * freedom));
}

// Rounding in the logits may swap two nearly equal candidates; the draw must not jump elsewhere.
TEST(SamplingOrder, RoundingInTheLogitsHardlyEverChangesTheToken) {
  Random random(9, 0);
  std::vector<float> logits(500);
  for (float& logit : logits) {
    logit = std::round(static_cast<float>(4 * random.normal())) / 4;  // many equals
  }
  std::vector<float> rounded = logits;
  for (float& logit : rounded) {
    logit += static_cast<float>(1e-6 * random.normal());
  }
  // All but the tokens at the edge of the selection: both options cut between different values.
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.top_k = 499}, SamplingOptions{.top_p = 0.9999}}) {
    int changed = 0;
    for (std::uint64_t stream = 0; stream < 1000; ++stream) {
      Random a(4, stream);
      Random b(4, stream);
      changed += sample_token(logits, options, a) == sample_token(rounded, options, b) ? 0 : 1;
    }
    EXPECT_LE(changed, 2) << options.top_k << " " << options.top_p;
  }
}

}  // namespace
}  // namespace lmpo::sampling_test

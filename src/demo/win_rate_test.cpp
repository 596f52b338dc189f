#include "demo/win_rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace lmpo::win_rate_test {
namespace {

using ::testing::HasSubstr;

const Instruction kLast = {Task::last, {"cat", "moon"}};

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

TEST(Preference, FollowsTheChancesOfTheWorld) {
  const WorldChances chances;
  const auto chance = [&](const char* a, const char* b) {
    return preference(kLast, a, b, chances);
  };
  EXPECT_DOUBLE_EQ(chance("moon .", "cat ."), 0.95);
  EXPECT_NEAR(chance("cat . i hope this helps .", "moon ."), 0.05, 1e-15);
  EXPECT_DOUBLE_EQ(chance("the answer is moon .", "moon ."), 0.65);
  EXPECT_DOUBLE_EQ(chance("cat .", "the answer is cat ."), 0.35);
  EXPECT_DOUBLE_EQ(chance("moon .", "moon ."), 0.5);
  EXPECT_DOUBLE_EQ(chance("cat .", "red ."), 0.5);  // as wrong and as long
}

TEST(Preference, IsWhatComparisonsAreDrawnBy) {
  Random random(3, 0);
  double expected = 0;
  double variance = 0;
  int favoured = 0;
  for (int i = 0; i < 20000; ++i) {
    const Instruction instruction = random_instruction(random);
    const Comparison pair = random_comparison(instruction, WorldChances{}, random);
    const double p = preference(instruction, pair.chosen, pair.rejected, WorldChances{});
    if (p == 0.5) {
      continue;
    }
    favoured += p > 0.5 ? 1 : 0;
    expected += std::max(p, 1 - p);
    variance += p * (1 - p);
  }
  EXPECT_NEAR(favoured, expected, 4 * std::sqrt(variance));
}

TEST(ParseInstruction, ReadsWhatInstructionsSay) {
  Random random(4, 0);
  for (int i = 0; i < 200; ++i) {
    const std::string text = random_instruction(random).text();
    ASSERT_TRUE(parse_instruction(text)) << text;
    EXPECT_EQ(parse_instruction(text)->text(), text);
  }
  for (const char* other :
       {"", "last", "last :", "last : cat", "next : cat moon", "last cat moon x"}) {
    EXPECT_FALSE(parse_instruction(other)) << other;
  }
}

// Chances made by the regression's own formula.
std::vector<double> made(double theta, double phi, const std::vector<double>& differences) {
  double mean = 0;
  double sum = 0;
  for (const double d : differences) {
    mean += d / static_cast<double>(differences.size());
  }
  for (const double d : differences) {
    sum += (d - mean) * (d - mean);
  }
  const double deviation = std::sqrt(sum / static_cast<double>(differences.size() - 1));
  std::vector<double> chances;
  for (const double d : differences) {
    chances.push_back(sigmoid(theta + phi * std::tanh(d / deviation)));
  }
  return chances;
}

TEST(LengthControlled, FindsTheRateAtEqualLengths) {
  const std::vector<double> differences = {-12, -9, -3, -3, 0, 1, 2, 5, 14, -8, -7, -1};
  for (const double theta : {-1.5, 0.0, 0.7}) {
    for (const double phi : {-1.0, 0.0, 2.0}) {
      EXPECT_NEAR(win_rate_at_equal_length(made(theta, phi, differences), differences),
                  sigmoid(theta), 5e-4)
          << theta << " " << phi;
    }
  }
}

TEST(LengthControlled, IsTheWinRateWhereLengthSaysNothing) {
  EXPECT_DOUBLE_EQ(win_rate_at_equal_length(std::vector{0.2, 0.9, 0.4}, std::vector{3.0, 3.0, 3.0}),
                   0.5);
  EXPECT_DOUBLE_EQ(win_rate_at_equal_length(std::vector{0.7}, std::vector{-4.0}), 0.7);
  // Lengths that are as often with either chance.
  EXPECT_NEAR(
      win_rate_at_equal_length(std::vector{0.6, 0.8, 0.6, 0.8}, std::vector{-1.0, -1.0, 1.0, 1.0}),
      0.7, 1e-6);
}

TEST(LengthControlled, TurnsAroundWithTheSides) {
  const std::vector<double> chances = {0.95, 0.35, 0.65, 0.05, 0.95};
  const std::vector<double> differences = {-4, 2, 7, -1, 0};
  std::vector<double> opposite;
  std::vector<double> negative;
  for (std::size_t i = 0; i < chances.size(); ++i) {
    opposite.push_back(1 - chances[i]);
    negative.push_back(-differences[i]);
  }
  EXPECT_NEAR(win_rate_at_equal_length(chances, differences),
              1 - win_rate_at_equal_length(opposite, negative), 1e-9);
}

TEST(LengthControlled, StaysFiniteWhereLengthTellsAll) {
  const double rate =
      win_rate_at_equal_length(std::vector{1.0, 1.0, 0.0, 0.0}, std::vector{1.0, 2.0, -1.0, -2.0});
  EXPECT_NEAR(rate, 0.5, 1e-6);
  EXPECT_GT(win_rate_at_equal_length(std::vector{1.0, 1.0}, std::vector{1.0, 2.0}), 0.9);
}

TEST(Estimate, HasTheErrorOfTheMean) {
  const Estimate of_three = estimate(std::vector{1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(of_three.mean, 2);
  EXPECT_DOUBLE_EQ(of_three.standard_error, 1 / std::sqrt(3.0));
  EXPECT_DOUBLE_EQ(estimate(std::vector{7.0}).standard_error, 0);
}

class Answers : public ::testing::Test {
 protected:
  std::vector<JudgedAnswer> read(const std::string& content) {
    const fs::path file =
        fs::path(::testing::TempDir()) /
        fmt::format("answers-{}-{}.jsonl", ::getpid(),
                    ::testing::UnitTest::GetInstance()->current_test_info()->name());
    write_file_atomically(file, content);
    return read_judged_answers(file);
  }
  static std::string line(const std::string& prompt, const std::string& response, int tokens) {
    const json turns = json::array({{{"role", "user"}, {"content", prompt}}});
    return json{{"prompt", turns},
                {"responses", json::array({response})},
                {"output_tokens", json::array({tokens})}}
               .dump() +
           "\n";
  }
};

TEST_F(Answers, AreJudged) {
  const std::vector<JudgedAnswer> own =
      read(line("last : cat moon", "moon .", 3) + line("first : cat moon", "moon .", 5));
  const std::vector<JudgedAnswer> others =
      read(line("last : cat moon", "cat .", 3) +
           line("first : cat moon", "moon . i hope this helps .", 8));
  const Verdict verdict = judge(own, others);
  EXPECT_DOUBLE_EQ(verdict.win_rate, (0.95 + 0.35) / 2);
  EXPECT_DOUBLE_EQ(verdict.right, 0.5);
  EXPECT_DOUBLE_EQ(verdict.tokens, 4);
  EXPECT_NEAR(judge(own, own).win_rate_at_equal_length, 0.5, 1e-12);
  EXPECT_THROW(judge(own, std::span(others).first(1)), UserError);
  EXPECT_THROW(judge({}, {}), UserError);
}

TEST_F(Answers, OfAnotherKindAreRefused) {
  for (const std::string& wrong :
       {line("why is the sky blue ?", "moon .", 3),
        std::string(
            R"({"prompt": "last : cat moon", "responses": ["a", "b"], "output_tokens": [1, 2]})"),
        std::string(R"({"prompt": "last : cat moon", "responses": ["a"], "output_tokens": "no"})"),
        std::string(R"({"prompt": "last : cat moon", "responses": ["a"]})")}) {
    try {
      read(line("last : cat moon", "moon .", 3) + wrong);
      ADD_FAILURE() << wrong;
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr(".jsonl:2: one answer to an instruction"));
    }
  }
}

}  // namespace
}  // namespace lmpo::win_rate_test

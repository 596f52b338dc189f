#include "judge/alpaca_judge.h"

#include <gmock/gmock.h>

#include <cmath>
#include <csignal>

#include "base/log.h"
#include "base/testing/test_folder.h"
#include "judge/program_judge.h"
#include "judge/testing/published.h"

namespace lmpo::alpaca_judge_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ordered_json choice_of(const std::vector<std::pair<const char*, double>>& tokens) {
  ordered_json top = ordered_json::array();
  for (const auto& [token, logprob] : tokens) {
    top.push_back({{"token", token}, {"logprob", logprob}});
  }
  return {{"message", {{"role", "assistant"}, {"content", "m"}}},
          {"logprobs", {{"content", {{{"token", "m"}, {"top_logprobs", top}}}}}}};
}

TEST(AlpacaJudge, PreferencesFromLogprobs) {
  const double tie = std::log(0.25);
  EXPECT_DOUBLE_EQ(preference_of_choice(choice_of({{"m", tie}, {"The", -1}, {"M", tie}})), 1.5);
  EXPECT_NEAR(preference_of_choice(choice_of({{"m", std::log(0.3)}, {"M", std::log(0.1)}})), 1.25,
              1e-15);
  EXPECT_EQ(preference_of_choice(choice_of({{"m", -3}, {"The", -1}})), 1);
  EXPECT_EQ(preference_of_choice(choice_of({{"M", -3}, {"The", -1}})), 2);
  EXPECT_TRUE(std::isnan(preference_of_choice(choice_of({{"The", -1}}))));
  EXPECT_TRUE(std::isnan(preference_of_choice({{"logprobs", nullptr}})));
  ordered_json two = choice_of({{"m", -1}});
  two["logprobs"]["content"].push_back(two["logprobs"]["content"][0]);
  EXPECT_TRUE(std::isnan(preference_of_choice(two)));
}

TEST(AlpacaJudge, TheRequestIsThePublishedOne) {
  const ordered_json request = alpaca_request("gpt-4-1106-preview", {"{output_1}?", "one", "two"});
  EXPECT_EQ(request["max_tokens"], 1);
  EXPECT_EQ(request["logprobs"], true);
  EXPECT_EQ(request["top_logprobs"], 5);
  EXPECT_EQ(request["messages"][0]["role"], "system");
  const auto user = request["messages"][1]["content"].get<std::string>();
  // As alpaca_eval fills the first place of each, an instruction may hold another's.
  EXPECT_THAT(user, HasSubstr("\"instruction\": \"\"\"one?\"\"\""));
  EXPECT_THAT(user, HasSubstr("\"output\": \"\"\"{output_1}\"\"\""));
  EXPECT_THAT(user, HasSubstr("\"output\": \"\"\"two\"\"\""));
  EXPECT_TRUE(user.ends_with("## Best Model Identifier"));
}

TEST(AlpacaJudge, AnnotationsHaveTheModelsSide) {
  std::vector<AlpacaOutput> baseline;
  std::vector<AlpacaOutput> model;
  for (int i = 0; i < 20; ++i) {
    const std::string instruction = "question " + std::to_string(i);
    baseline.push_back({instruction, "b", "base", "set"});
    model.push_back({instruction, i == 3 ? "b" : "m", "mine", ""});
  }
  std::size_t asked = 0;
  // A judge that always prefers the model's output, where it sees it.
  const Annotator annotator = {
      "judge", [&](std::span<const JudgeCase> cases) {
        std::vector<PairVerdict> verdicts;
        for (const JudgeCase& each : cases) {
          verdicts.push_back({.preference = each.first == "m" ? 1.25 : 1.75});
        }
        asked = cases.size();
        return verdicts;
      }};
  const Annotations annotations = annotate(baseline, model, annotator);
  EXPECT_EQ(asked, 19U);
  ASSERT_EQ(annotations.rows.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_DOUBLE_EQ(annotations.rows[i].preference, i == 3 ? 1.5 : 1.75);
    EXPECT_EQ(annotations.rows[i].row["generator_2"], "mine");
    EXPECT_EQ(annotations.rows[i].row["dataset"], "set");
  }
}

// Of all instructions of the set: which side was shown first, and what the judge's tokens came to.
TEST_F(PublishedData, SwitchesAndPreferencesAreThePublishedOnes) {
  const Annotations annotations = read_annotations(alpaca("annotations_gemma-7b-it.json"));
  const CsvTable oracle = read_csv(alpaca("switch_and_parse_oracle_gemma-7b-it.csv"));
  ASSERT_EQ(oracle.rows.size(), 805U);
  for (std::size_t i = 0; i < oracle.rows.size(); ++i) {
    const ordered_json& row = annotations.rows[i].row;
    const bool switched = is_switched(row["instruction"].get<std::string>());
    EXPECT_EQ(switched, oracle.number(i, oracle.column("is_switched")) == 1);
    if (row["output_1"] == row["output_2"]) {
      continue;
    }
    const double seen = preference_of_choice(row["raw_completion"]);
    EXPECT_NEAR(switched ? 3 - seen : seen, annotations.rows[i].preference, 1e-6) << i;
  }
}

class ProgramJudgeTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    set_log_level(LogLevel::error);
    std::signal(SIGPIPE, SIG_IGN);
  }
  std::string failure_of(const std::string& command) {
    AnswerStore store(folder_ / (std::to_string(++stores_) + ".jsonl"));
    return user_error_of([&] { ask_program_pairs(command, store, cases_); });
  }

  const std::vector<JudgeCase> cases_ = {{"q", "a", "b"}, {"r", "c", "d"}};
  int stores_ = 0;
};

TEST_F(ProgramJudgeTest, AnswersComeInAnyOrderAndAreKept) {
  AnswerStore store(folder_ / "judge.jsonl");
  const std::string command =
      R"(cat > seen; echo '{"index": 1, "preference": 1.25}'; echo '{"index": 0, "preference": null}')";
  const std::string in_folder = "cd '" + folder_.string() + "'; " + command;
  const auto verdicts = ask_program_pairs(in_folder, store, cases_);
  EXPECT_TRUE(std::isnan(verdicts[0].preference));
  EXPECT_EQ(verdicts[1].preference, 1.25);
  EXPECT_EQ(read_file(folder_ / "seen"),
            "{\"index\":0,\"instruction\":\"q\",\"first\":\"a\",\"second\":\"b\"}\n"
            "{\"index\":1,\"instruction\":\"r\",\"first\":\"c\",\"second\":\"d\"}\n");
  fs::remove(folder_ / "seen");
  EXPECT_EQ(ask_program_pairs(in_folder, store, cases_)[1].preference, 1.25);
  EXPECT_FALSE(fs::exists(folder_ / "seen"));  // it did not run again
}

TEST_F(ProgramJudgeTest, GamesHaveVerdictsOrTexts) {
  AnswerStore store(folder_ / "judge.jsonl");
  const auto verdicts = ask_program_games(
      R"(echo '{"index": 0, "verdict": "A>>B"}'; echo '{"index": 1, "judgment": "so [[B>A]]"}')",
      store, ArenaRules::v01, cases_);
  EXPECT_EQ(verdicts[0].label, "A>>B");
  EXPECT_EQ(verdicts[1].label, "B>A");
}

TEST_F(ProgramJudgeTest, WhatIsNoAnswerIsNamed) {
  EXPECT_THAT(failure_of("true"),
              HasSubstr("2 of 2 questions have no answer: 0, 1; it ended with status 0"));
  EXPECT_THAT(failure_of("exit 3"), HasSubstr("status 3"));
  EXPECT_THAT(failure_of("echo no"), HasSubstr("--judge_program, line 1"));
  EXPECT_THAT(failure_of(R"(echo '{"index": 2, "preference": 1}')"),
              HasSubstr("there is no question 2"));
  EXPECT_THAT(failure_of(R"(echo '{"index": 0, "preference": 3}')"), HasSubstr("from 1"));
  EXPECT_THAT(
      failure_of(R"(echo '{"index": 0, "preference": 1}'; echo '{"index": 0, "preference": 1}')"),
      HasSubstr("has its answer already"));
  EXPECT_THAT(failure_of("kill -9 $$"), HasSubstr("status 137"));
}

}  // namespace
}  // namespace lmpo::alpaca_judge_test

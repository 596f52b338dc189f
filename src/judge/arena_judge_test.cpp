#include <gmock/gmock.h>

#include <deque>

#include "base/log.h"
#include "base/testing/test_folder.h"
#include "judge/endpoint_judge.h"

namespace lmpo::arena_judge_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Asks one game of a judge that says the texts of a script; the requests are kept.
class ArenaJudgeTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    set_log_level(LogLevel::error);
  }
  void TearDown() override {
    set_log_level(LogLevel::info);
    FolderTest::TearDown();
  }
  GameVerdict verdict_of(const std::deque<std::string>& script, ArenaRules rules) {
    requests_.clear();
    AnswerStore store(folder_ / (std::to_string(++stores_) + ".jsonl"));
    ChatJudge judge(
        [&](const std::string& body) -> HttpResult {
          requests_.push_back(ordered_json::parse(body));
          const ordered_json message = {{"role", "assistant"},
                                        {"content", script.at(requests_.size() - 1)}};
          const ordered_json choices = ordered_json::array({{{"message", message}}});
          return {.status = 200, .body = ordered_json({{"choices", choices}}).dump()};
        },
        store, {.name = "j"});
    const std::vector<JudgeCase> games = {{"why?", "one", "two"}};
    return ask_games(judge, "j", rules, 4, games).front();
  }

  std::vector<ordered_json> requests_;
  int stores_ = 0;
};

TEST_F(ArenaJudgeTest, AJudgeWithoutALabelIsAskedOnceToGoOn) {
  const GameVerdict verdict = verdict_of({"Let me think.", "So: [[B>A]]"}, ArenaRules::v01);
  EXPECT_EQ(verdict.label, "B>A");
  EXPECT_EQ(verdict.judgment, "\nLet me think.\nSo: [[B>A]]");
  ASSERT_EQ(requests_.size(), 2U);
  const ordered_json& messages = requests_[1]["messages"];
  ASSERT_EQ(messages.size(), 4U);
  EXPECT_EQ(messages[2]["content"], "Let me think.");
  EXPECT_EQ(messages[3]["content"],
            "continue your judgment and finish by outputting a final verdict label");
  EXPECT_EQ(verdict_of({"no", "no", "[[A>B]]"}, ArenaRules::v01).label, std::nullopt);
  EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(ArenaJudgeTest, TwoLabelsAndNewRulesAskOnce) {
  EXPECT_EQ(verdict_of({"[[A>B]] [[B>A]]"}, ArenaRules::v01).label, std::nullopt);
  EXPECT_EQ(requests_.size(), 1U);
  const GameVerdict verdict = verdict_of({"nothing"}, ArenaRules::v2);
  EXPECT_EQ(verdict.judgment, "nothing");
  EXPECT_EQ(requests_.size(), 1U);
}

TEST_F(ArenaJudgeTest, TheRequestIsThePublishedOne) {
  const ordered_json request = arena_request("j", {"{}?", "one", "two"}, ArenaRules::v01);
  EXPECT_EQ(request["temperature"], 0);
  EXPECT_EQ(request["max_tokens"], 4096);
  EXPECT_EQ(request["messages"][1]["content"],
            "<|User Prompt|>\n{}?\n\n<|The Start of Assistant A's Answer|>\none\n"
            "<|The End of Assistant A's Answer|>\n\n<|The Start of Assistant B's Answer|>\ntwo\n"
            "<|The End of Assistant B's Answer|>");
  EXPECT_TRUE(request["messages"][0]["content"].get<std::string>().starts_with(
      "Please act as an impartial judge"));
}

// What is written is read again, in both layouts, with the rows of both games.
TEST_F(ArenaJudgeTest, JudgmentsAreReadAgain) {
  const std::vector<ArenaQuestion> questions = {{.id = "1", .prompt = "why?", .category = "c"}};
  const std::vector<ArenaAnswer> baseline = {{"1", "base", "b", {}}};
  const std::vector<ArenaAnswer> model = {{"1", "mine", "m", {}}};
  const std::vector<JudgeCase> games = games_of(questions, baseline, model);
  ASSERT_EQ(games.size(), 2U);
  EXPECT_EQ(games[0].first, "b");
  EXPECT_EQ(games[1].first, "m");
  const std::vector<GameVerdict> verdicts = {{"...", "B>>A"}, {"...", std::nullopt}};
  const JudgedGames judged = {.questions = questions,
                              .judge = "j",
                              .baseline = "base",
                              .model = "mine",
                              .games = games,
                              .verdicts = verdicts};
  for (const ArenaRules rules : {ArenaRules::v01, ArenaRules::v2}) {
    write_file_atomically(folder_ / "j.jsonl", judgment_lines(judged, rules));
    const ArenaJudgments read = read_arena_judgments(folder_ / "j.jsonl");
    EXPECT_EQ(read.model, "mine");
    EXPECT_EQ(read.since_2025, rules == ArenaRules::v2);
    EXPECT_EQ(read.rows[0].labels[0], "B>>A");
    EXPECT_EQ(read.rows[0].labels[1], std::nullopt);
  }
  EXPECT_THAT(game_rows({"B>>A", std::nullopt}, ArenaRules::v01), ElementsAre(1, 1, 1));
}

TEST_F(ArenaJudgeTest, AnswersAreReadAgain) {
  const std::vector<std::string> answers = {"so"};
  for (const bool since_2025 : {false, true}) {
    const std::vector<ArenaQuestion> questions = {
        {.id = "1", .prompt = "why?", .category = "c", .since_2025 = since_2025}};
    write_file_atomically(folder_ / "a.jsonl", answer_lines(questions, answers, "mine", nullptr));
    const std::vector<ArenaAnswer> read = read_arena_answers(folder_ / "a.jsonl");
    EXPECT_EQ(read[0].text, "so");
    EXPECT_EQ(read[0].model, "mine");
    EXPECT_EQ(read[0].tokens, std::nullopt);
    EXPECT_THAT(read_file(folder_ / "a.jsonl"),
                HasSubstr(since_2025 ? "\"messages\"" : "\"choices\""));
  }
}

}  // namespace
}  // namespace lmpo::arena_judge_test

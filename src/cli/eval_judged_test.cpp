// lmpo eval alpaca and lmpo eval arena.
#include "cli/testing/commands.h"

namespace lmpo::eval_judged_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class EvalJudged : public Commands {
 protected:
  // Annotations of a model whose outputs grow longer and better.
  fs::path annotations(const std::string& name, const std::string& model, double shift) const {
    ordered_json rows = ordered_json::array();
    for (int i = 0; i < 12; ++i) {
      const std::string number = std::to_string(i);
      rows.push_back({{"instruction", "question " + number},
                      {"output_1", std::string(10, 'b')},
                      {"generator_1", "gpt4_1106_preview"},
                      {"output_2", std::string(static_cast<std::size_t>(3 + 2 * i), 'm')},
                      {"generator_2", model},
                      {"annotator", "weighted_alpaca_eval_gpt4_turbo"},
                      {"preference", std::min(2.0, 1 + shift + i / 12.0)}});
    }
    return write(name, rows.dump());
  }
  fs::path gamed() const {
    std::string table = "model,index,preference,std_delta_len,instruction_difficulty\n";
    for (int i = 0; i < 24; ++i) {
      table += fmt::format("gamed,{},{},{},{}\n", i % 12, i < 12 ? 0.8 : 0.2, i < 12 ? -1 : 1.5,
                           0.1 * (i % 12) - 0.5);
    }
    return write("gamed.csv", table);
  }
  fs::path judgments(const std::string& name, const std::string& model, const char* second) const {
    std::string lines;
    for (int i = 0; i < 20; ++i) {
      lines += json({{"question_id", std::to_string(i)},
                     {"model", model},
                     {"judge", "gpt-4-1106-preview"},
                     {"games", {{{"score", i % 2 == 0 ? "A>B" : "B>A"}}, {{"score", second}}}}})
                   .dump() +
               "\n";
    }
    return write(name, lines);
  }
};

TEST_F(EvalJudged, AlpacaScoresAnnotations) {
  const fs::path file = annotations("a.json", "mine", 0.1);
  const Result result = run({"eval", "alpaca", "--annotations", file.string(), "--gamed",
                             gamed().string(), "--output", path("out").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("LC win %"), HasSubstr("\nmine ")));
  EXPECT_THAT(read_file(path("out") / "leaderboard.csv"), HasSubstr("\nmine,"));
  EXPECT_TRUE(read_json(path("out") / "annotations.json")[3].contains("glm_preference"));
  // Longer outputs won more: at equal length the model wins less.
  const Result without = run({"eval", "alpaca", "--annotations", file.string()});
  EXPECT_EQ(without.exit_code, 0) << without.err;
  EXPECT_THAT(without.err, HasSubstr("needs --gamed df_gamed.csv"));
}

TEST_F(EvalJudged, AlpacaComparesTwoModels) {
  const Result result =
      run({"eval", "alpaca", "--annotations", annotations("a.json", "mine", 0.1).string(),
           "--against", annotations("b.json", "yours", 0).string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("mine minus yours, over 12 instructions: win rate +"));
}

TEST_F(EvalJudged, ArenaScoresJudgments) {
  const Result result = run({"eval", "arena", "--judgments",
                             judgments("a.jsonl", "mine", "A>>B").string() + "," +
                                 judgments("b.jsonl", "yours", "A>B").string(),
                             "--output", path("out").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  // (10 + 60) / 80 and (10 + 20) / 40
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("| score: 87.5  | 95% CI:"), HasSubstr("| score: 75.0  | 95% CI:"),
                    HasSubstr("gpt-4-0314                     | score: 50.0"),
                    HasSubstr("mine minus yours, over 20 questions: +12.50")));
  EXPECT_THAT(read_file(path("out") / "leaderboard.csv"), HasSubstr("\nmine,87.5,"));
}

TEST_F(EvalJudged, NamesOfTwoWordsHaveHelpAndCompletion) {
  EXPECT_THAT(run({"help", "eval", "arena"}).out, HasSubstr("usage: lmpo eval arena"));
  EXPECT_THAT(run({"--help", "eval", "alpaca"}).out, HasSubstr("usage: lmpo eval alpaca"));
  EXPECT_THAT(run({"--complete", "2", "lmpo", "eval", ""}).out,
              AllOf(HasSubstr("\nalpaca\t"), HasSubstr("\narena\t")));
  EXPECT_THAT(run({"--complete", "1", "lmpo", "ev"}).out,
              AllOf(HasSubstr("\neval\t"), Not(HasSubstr("eval alpaca"))));
  EXPECT_THAT(run({"--complete", "3", "lmpo", "eval", "arena", "--ru"}).out,
              HasSubstr("\n--rules\t"));
  EXPECT_THAT(run({"docs", "man", "--of", "eval arena"}).out, HasSubstr(R"(LMPO\-EVAL\-ARENA)"));
}

TEST_F(EvalJudged, MistakesAreNamed) {
  const fs::path file = annotations("a.json", "mine", 0.1);
  const auto mistake = [](const Words& words) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    return result.err;
  };
  const fs::path few =
      write("few.csv", "index,preference,std_delta_len,instruction_difficulty\n0,0.5,1,0\n");
  EXPECT_THAT(mistake({"eval", "alpaca", "--annotations", file.string(), "--gamed", few.string()}),
              HasSubstr("12 annotations and difficulties of 1 instructions"));
  EXPECT_THAT(mistake({"eval", "alpaca", "--annotations", file.string(), "--lc_penalty", "1"}),
              HasSubstr("needs --gamed"));
  const fs::path outputs =
      write("outputs.json", R"([{"instruction": "question 0", "output": "other"}])");
  EXPECT_THAT(mistake({"eval", "alpaca", "--annotations", file.string(), "--model_outputs",
                       outputs.string()}),
              HasSubstr("11 of the set have no output: 'question 1'"));
  EXPECT_THAT(mistake({"eval", "arena", "--judgments", file.string()}), HasSubstr("key 'model'"));
}

// A full disk leaves no half of a file.
TEST_F(EvalJudged, AFullDiskLeavesNothingHalfWritten) {
  const Result result =
      run({"eval", "alpaca", "--annotations", annotations("a.json", "mine", 0.1).string(),
           "--output", path("out").string()},
          {.largest_file = 500});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("annotations.json"));
  EXPECT_FALSE(fs::exists(path("out") / "annotations.json"));
}

}  // namespace
}  // namespace lmpo::eval_judged_test

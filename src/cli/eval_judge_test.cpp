// lmpo eval alpaca and lmpo eval arena with a model that answers and a program that judges.
#include "cli/testing/commands.h"

namespace lmpo {
namespace {

using testing::HasSubstr;

class EvalJudges : public Commands {
 protected:
  void SetUp() override {
    Commands::SetUp();
    ordered_json reference = ordered_json::array();
    ordered_json outputs = ordered_json::array();
    std::string questions;
    std::string baseline;
    std::string answers;
    for (int i = 0; i < kQuestions; ++i) {
      const std::string instruction = fmt::format("first : cat {}", i);
      const ordered_json turn = {{"content", instruction}};
      reference.push_back({{"dataset", "set"},
                           {"instruction", instruction},
                           {"output", "bad"},
                           {"generator", "gpt4_1106_preview"}});
      outputs.push_back({{"instruction", instruction}, {"output", "good"}, {"generator", "mine"}});
      questions += ordered_json({{"question_id", std::to_string(i)},
                                 {"category", "arena-hard-v0.1"},
                                 {"turns", ordered_json::array({turn})}})
                       .dump() +
                   "\n";
      baseline += answer(i, "gpt-4-0314", "bad");
      answers += answer(i, "mine", "good");
    }
    write("reference.json", reference.dump());
    write("outputs.json", outputs.dump());
    write("question.jsonl", questions);
    write("baseline.jsonl", baseline);
    write("answers.jsonl", answers);
  }
  static std::string answer(int question, const char* model, const char* text) {
    const ordered_json turn = {{"content", text}, {"token_len", 1}};
    const ordered_json choice = {{"index", 0}, {"turns", ordered_json::array({turn})}};
    return ordered_json({{"question_id", std::to_string(question)},
                         {"model_id", model},
                         {"choices", ordered_json::array({choice})}})
               .dump() +
           "\n";
  }
  Result alpaca(const Words& more) const {
    Words words = {"eval",
                   "alpaca",
                   "--model_outputs",
                   path("outputs.json").string(),
                   "--reference_outputs",
                   path("reference.json").string(),
                   "--output",
                   path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  Result arena(const Words& more) const {
    Words words = {"eval",
                   "arena",
                   "--answers",
                   path("answers.jsonl").string(),
                   "--questions",
                   path("question.jsonl").string(),
                   "--baseline_answers",
                   path("baseline.jsonl").string(),
                   "--output",
                   path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  static constexpr int kQuestions = 6;
};

TEST_F(EvalJudges, AProgramJudgesBoth) {
  const std::string program =
      R"(while read -r line; do i=$(echo "$line" | sed 's/.*"index":\([0-9]*\).*/\1/'); )"
      R"(case "$line" in *'"first":"good"'*) p=1.1 v='A>B';; *) p=1.9 v='B>A';; esac; )"
      R"(echo "{\"index\": $i, \"preference\": $p, \"verdict\": \"$v\"}"; done)";
  const Result first = alpaca({"--judge_program", program});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("90.00"));
  fs::remove_all(path("out"));
  const Result second = arena({"--judge_program", program});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("| score: 100.0"));
}

TEST_F(EvalJudges, AModelAnswersAndResumes) {
  const Words words = {"eval",
                       "alpaca",
                       "--model",
                       model().string(),
                       "--reference_outputs",
                       path("reference.json").string(),
                       "--max_new_tokens",
                       "5",
                       "--output",
                       path("out").string(),
                       "-t",
                       "1",
                       "--name",
                       "tiny"};
  const Result result = run(words);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json outputs = read_json(path("out") / "model_outputs.json");
  ASSERT_EQ(outputs.size(), static_cast<std::size_t>(kQuestions));
  EXPECT_EQ(outputs[0]["generator"], "tiny");
  EXPECT_EQ(outputs[0]["dataset"], "set");
  const json settings = read_json(path("out") / "answers.jsonl.settings.json");
  EXPECT_EQ(settings["temperature"], json::array({0.7}));
  EXPECT_EQ(settings["max_new_tokens"], 5);
  const std::string before = read_file(path("out") / "answers.jsonl");
  EXPECT_EQ(run(words).exit_code, 0);
  EXPECT_EQ(read_file(path("out") / "answers.jsonl"), before);

  const Result arena = run(
      {"eval", "arena", "--model", model().string(), "--questions", path("question.jsonl").string(),
       "--max_new_tokens", "5", "--output", path("arena").string(), "-t", "1"},
      {.environment = {{"OPENAI_API_KEY", ""}}});
  ASSERT_EQ(arena.exit_code, 0) << arena.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(path("arena") / "model_answer"), {}), 1);
}

}  // namespace
}  // namespace lmpo

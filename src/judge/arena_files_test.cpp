#include "judge/arena_files.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing/test_folder.h"
#include "judge/testing/published.h"

namespace lmpo::arena_files_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ordered_json judgment(const char* id, const ordered_json& first, const ordered_json& second,
                      const char* model = "mine") {
  return {{"question_id", id},
          {"model", model},
          {"judge", "j"},
          {"games",
           {{{"judgment", "..."}, {"score", first}}, {{"judgment", "..."}, {"score", second}}}}};
}

class ArenaFiles : public FolderTest {
 protected:
  fs::path write(const char* name, const std::vector<ordered_json>& rows) const {
    std::string lines;
    for (const ordered_json& row : rows) {
      lines += row.dump() + "\n";
    }
    write_file_atomically(folder_ / name, lines);
    return folder_ / name;
  }
};

TEST_F(ArenaFiles, BothLayoutsOfQuestionsAndAnswers) {
  const fs::path old_questions = write(
      "q.jsonl", {{{"question_id", "1"}, {"category", "c"}, {"turns", {{{"content", "why?"}}}}}});
  const fs::path new_questions =
      write("q2.jsonl", {{{"uid", "1"}, {"category", "c"}, {"prompt", "why?"}}});
  for (const fs::path& file : {old_questions, new_questions}) {
    const std::vector<ArenaQuestion> questions = read_arena_questions(file);
    EXPECT_EQ(questions[0].id, "1");
    EXPECT_EQ(questions[0].prompt, "why?");
    EXPECT_EQ(questions[0].category, "c");
  }
  const fs::path old_answers =
      write("a.jsonl",
            {{{"question_id", "1"},
              {"model_id", "mine"},
              {"choices", {{{"index", 0}, {"turns", {{{"content", "so"}, {"token_len", 3}}}}}}}},
             {{"question_id", "2"},
              {"model_id", "mine"},
              {"choices", {{{"index", 0}, {"turns", {{{"content", "so"}}}}}}},
              {"conv_metadata", {{"token_len", 4}}}}});
  const fs::path new_answers =
      write("a2.jsonl", {{{"uid", "1"},
                          {"model", "mine"},
                          {"messages",
                           {{{"role", "user"}, {"content", "why?"}},
                            {{"role", "assistant"}, {"content", {{"answer", "so"}}}}}},
                          {"metadata", {{"token_len", 3}}}},
                         {{"uid", "2"},
                          {"model", "mine"},
                          {"messages", {{{"role", "assistant"}, {"content", "so"}}}},
                          {"metadata", {{"token_len", 4}}}}});
  for (const fs::path& file : {old_answers, new_answers}) {
    const std::vector<ArenaAnswer> answers = read_arena_answers(file);
    EXPECT_EQ(answers[0].text, "so");
    EXPECT_EQ(answers[1].text, "so");
    EXPECT_EQ(average_tokens(answers, nullptr), 3);  // of 3.5
  }
}

TEST_F(ArenaFiles, MistakesAreNamed) {
  const auto mistake = [&](const std::vector<ordered_json>& rows) {
    return user_error_of([&] { read_arena_judgments(write("j.jsonl", rows)); });
  };
  EXPECT_THAT(mistake({judgment("1", "A>B", "A>B"), judgment("1", "A>B", "A>B")}),
              HasSubstr("j.jsonl:2: the id 1 is that of"));
  EXPECT_THAT(mistake({judgment("1", "A>B", "A>B"), judgment("2", "A>B", "A>B", "yours")}),
              HasSubstr("a judgment of 'yours' among those of 'mine'"));
  EXPECT_THAT(mistake({{{"question_id", "1"}, {"model", "m"}, {"games", {1}}}}),
              HasSubstr("a list of two games"));
  EXPECT_THAT(mistake({{{"model", "m"}}}), HasSubstr("'question_id'"));
  const fs::path answers =
      write("a.jsonl", {{{"question_id", "1"}, {"model_id", "mine"}, {"choices", {}}}});
  EXPECT_THAT(user_error_of([&] { read_arena_answers(answers); }), HasSubstr("one answer"));
  const std::vector<ArenaQuestion> questions = {{"1", "a", ""}, {"2", "b", ""}};
  EXPECT_THAT(user_error_of([&] {
                in_order_of(questions, {{"1", "m", "x", {}}}, "a.jsonl");
              }),
              HasSubstr("a.jsonl: 1 of 2 questions have no answer: 2"));
  const ArenaJudgments none =
      read_arena_judgments(write("j.jsonl", {judgment("1", nullptr, "oops")}));
  EXPECT_THAT(user_error_of([&] { arena_model(none, ArenaRules::v01); }),
              HasSubstr("no game has a verdict"));
}

TEST_F(ArenaFiles, CategoriesAreNotMixed) {
  ordered_json prompt = judgment("1", "A>B", "A>B");
  prompt["category"] = "hard_prompt";
  prompt["baseline"] = "one";
  ordered_json writing = judgment("2", "B>A", "B>A");
  writing["category"] = "creative_writing";
  writing["baseline"] = "two";
  const ArenaJudgments both = read_arena_judgments(write("j.jsonl", {prompt, writing}));
  const ArenaJudgments second = of_category(both, "creative_writing");
  ASSERT_EQ(second.rows.size(), 1U);
  EXPECT_EQ(second.rows[0].id, "2");
  EXPECT_EQ(second.rows[0].baseline, "two");
  for (const char* category : {"", "coding"}) {
    EXPECT_THAT(user_error_of([&] { of_category(both, category); }),
                HasSubstr("--category, one of creative_writing, hard_prompt"));
  }
  const ArenaJudgments old = read_arena_judgments(write("o.jsonl", {judgment("1", "A>B", "A>B")}));
  EXPECT_EQ(of_category(old, "").rows.size(), 1U);
}

TEST_F(ArenaFiles, DifferencesArePairedByQuestion) {
  std::vector<ordered_json> first;
  std::vector<ordered_json> second;
  for (int i = 0; i < 50; ++i) {
    const std::string id = std::to_string(i);
    // The first model wins a game more of every question: the difference is the same in any draw.
    first.push_back(judgment(id.c_str(), "B>A", i % 2 == 0 ? "A>B" : "B>A"));
    second.push_back(judgment(id.c_str(), "A>B", i % 2 == 0 ? "A>B" : "B>A", "yours"));
  }
  first.push_back(judgment("only here", "A>B", "B>A"));
  const ArenaJudgments a = read_arena_judgments(write("a.jsonl", first));
  const ArenaJudgments b = read_arena_judgments(write("b.jsonl", second));
  const ArenaDifference difference = difference_of(a, b, ArenaRules::v01, 200, 1);
  EXPECT_EQ(difference.questions, 50);
  EXPECT_DOUBLE_EQ(difference.difference, 50);
  EXPECT_NEAR(difference.error, 0, 1e-9);
}

TEST_F(ArenaFiles, SheetsAreThoseOfArenaHardAuto) {
  const ArenaLine mine = {{"mine", 20.564, 18.61, 22.31, 900}, 585};
  const ArenaLine base = {{"gpt-4-0314", 50, 50, 50, 0}, std::nullopt};
  EXPECT_EQ(arena_table({mine, base}, ArenaRules::v01),
            "gpt-4-0314                     | score: 50.0  | 95% CI:  (+0.0, +0.0)  | average "
            "#tokens: -\n"
            "mine                           | score: 20.6  | 95% CI:  (-2.0, +1.7)  | average "
            "#tokens: 585\n");
  EXPECT_EQ(arena_csv({mine}, ArenaRules::v01, "2024-07-31"),
            "model,score,rating_q025,rating_q975,CI,avg_tokens,date\n"
            "mine,20.56,18.61,22.31,\"(-1.95, +1.75)\",585.0,2024-07-31\n");
}

TEST_F(PublishedData, AnswersHaveTheAverageTokensOfTheLeaderboard) {
  const std::vector<ArenaQuestion> questions = read_arena_questions(arena("question.jsonl"));
  EXPECT_EQ(questions.size(), 500U);
  for (const auto& [file, tokens] : {std::pair("model_answer_gpt-4-0314.jsonl", 423),
                                     std::pair("model_answer_gpt-3.5-turbo-0125.jsonl", 329)}) {
    const std::vector<ArenaAnswer> answers =
        in_order_of(questions, read_arena_answers(arena(file)), file);
    EXPECT_EQ(average_tokens(answers, nullptr), tokens);
  }
}

// cl100k_base's file, where there is one: in $LMPO_CL100K. Every stored count is its.
TEST_F(PublishedData, TokensAreThoseOfTiktoken) {
  const char* file = std::getenv("LMPO_CL100K");
  if (file == nullptr) {
    GTEST_SKIP() << "set LMPO_CL100K to cl100k_base.tiktoken";
  }
  const Tokenizer tokenizer = Tokenizer::from_model(read_file(file), file);
  for (const char* name :
       {"model_answer_gpt-4-0314.jsonl", "model_answer_gpt-3.5-turbo-0125.jsonl"}) {
    for (const ArenaAnswer& answer : read_arena_answers(arena(name))) {
      EXPECT_EQ(std::ssize(tokenizer.encode(answer.text, false, SpecialText::text)), *answer.tokens)
          << answer.id;
    }
  }
}

}  // namespace
}  // namespace lmpo::arena_files_test

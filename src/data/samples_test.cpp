// Scored answers become preferences: what is paired, what is dropped, what is refused.
#include "data/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::samples_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<Samples> samples_of(const std::string& text) {
  std::vector<Samples> all;
  read_rows(text, "samples.jsonl", [&](SourceRow&& row) { all.push_back(parse_samples(row)); });
  return all;
}

std::vector<Scores> scores_of(const std::vector<Samples>& samples, const std::string& text) {
  ScoreTable table(samples);
  read_rows(text, "scores.jsonl", [&](SourceRow&& row) { table.add(row); });
  return table.take("scores.jsonl");
}

Samples answers(std::vector<std::string> responses) {
  return {"0", "samples.jsonl:1", {{"user", "p"}}, std::move(responses)};
}

TEST(Samples, PromptsAreReadAsThoseOfTrainingData) {
  const auto samples = samples_of(
      "{\"prompt\": \"why\", \"responses\": [\"a\", \"b\"]}\n"
      "{\"prompt\": [{\"from\": \"human\", \"value\": \"why\"}], \"responses\": [\"a\"]}\n"
      "{\"prompt\": \"why\", \"system\": \"be brief\", \"responses\": [\"\"]}\n");
  const Turns why = {{"user", "why"}};
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].prompt, why);
  EXPECT_THAT(samples[0].responses, ElementsAre("a", "b"));
  EXPECT_EQ(samples[1].prompt, why);
  EXPECT_EQ(samples[2].prompt, (Turns{{"system", "be brief"}, {"user", "why"}}));
}

TEST(Samples, TheKeyIsTheIdElseTheIndexElseThePlace) {
  const auto samples = samples_of(
      "{\"prompt\": \"p\", \"responses\": [\"a\"], \"id\": \"x\", \"index\": 7}\n"
      "{\"prompt\": \"p\", \"responses\": [\"a\"], \"index\": 7}\n"
      "{\"prompt\": \"p\", \"responses\": [\"a\"], \"id\": null}\n");
  EXPECT_EQ(samples[0].key, "\"x\"");
  EXPECT_EQ(samples[1].key, "7");
  EXPECT_EQ(samples[2].key, "2");
}

TEST(Samples, WhatIsNoneIsRefusedWithItsPlace) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"{\"prompt\": \"p\"}", "samples.jsonl:1: a row with 'prompt' and 'responses'"},
      {"{\"responses\": [\"a\"]}", "samples.jsonl:1: a row with 'prompt' and 'responses'"},
      {"{\"prompt\": \"p\", \"responses\": []}", "'responses', a list of texts"},
      {"{\"prompt\": \"p\", \"responses\": [3]}", "'responses', a list of texts"},
      {"{\"prompt\": \"p\", \"responses\": \"a\"}", "'responses', a list of texts"},
      {"{\"prompt\": 3, \"responses\": [\"a\"]}", "samples.jsonl:1: key 'prompt'"},
      {"{\"prompt\": [], \"responses\": [\"a\"]}", "key 'prompt': at least one message"},
      {"{\"prompt\": [{}], \"responses\": [\"a\"]}", "key 'prompt': a message was expected"},
      {"{\"prompt\": \"p\", \"responses\": [\"a\"], \"id\": 1.5}",
       "key 'id': a text or a whole number"},
      {"{\"prompt\": \"\xFF\", \"responses\": [\"a\"]}", "samples.jsonl:1: the row's bytes"}};
  for (const auto& [text, message] : mistakes) {
    const std::string input = text;
    EXPECT_THAT([&] { samples_of(input); }, ThrowsMessage<UserError>(HasSubstr(message))) << text;
  }
}

TEST(Scores, AreFoundByTheirKeyInAnyOrder) {
  const auto samples = samples_of(
      "{\"prompt\": \"p\", \"responses\": [\"a\", \"b\"], \"id\": \"x\"}\n"
      "{\"prompt\": \"q\", \"responses\": [\"a\", \"b\", \"c\"]}\n");
  const auto scores = scores_of(
      samples, "{\"index\": 1, \"scores\": [3, -1e-3, 2]}\n{\"id\": \"x\", \"scores\": [1, 2]}");
  EXPECT_THAT(scores, ElementsAre(ElementsAre(1, 2), ElementsAre(3, -1e-3, 2)));
}

TEST(Scores, ThatDoNotMatchAreNamed) {
  const auto samples = samples_of(
      "{\"prompt\": \"p\", \"responses\": [\"a\", \"b\"], \"id\": \"x\"}\n"
      "{\"prompt\": \"q\", \"responses\": [\"a\", \"b\"], \"id\": \"y\"}\n");
  const std::string x = "{\"id\": \"x\", \"scores\": [1, 2]}\n";
  const std::vector<std::pair<std::string, const char*>> mistakes = {
      {x, "scores.jsonl: 1 of 2 samples have no scores: \"y\""},
      {x + x, "scores.jsonl:2: the samples \"x\" (samples.jsonl:1) already have scores"},
      {"{\"id\": \"z\", \"scores\": [1, 2]}",
       "scores.jsonl:1: no samples have the id or index \"z\""},
      {"{\"scores\": [1, 2]}", "scores.jsonl:1: no samples have the id or index 0"},
      {"{\"id\": \"x\", \"scores\": [1]}",
       "scores.jsonl:1: key 'scores': a list of 2 numbers was expected, one for each response of "
       "samples.jsonl:1"},
      {"{\"id\": \"x\", \"scores\": [1, null]}", "key 'scores': a list of 2 numbers"},
      {"{\"id\": \"x\"}", "key 'scores': a list of 2 numbers"},
      {"{\"id\": \"x\", \"scores\": [1, 1e999]}",
       "scores.jsonl:1: key 'scores': a list of 2 numbers"}};
  for (const auto& [text, message] : mistakes) {
    const std::string input = text;
    EXPECT_THAT([&] { scores_of(samples, input); }, ThrowsMessage<UserError>(HasSubstr(message)))
        << text;
  }
}

TEST(Pairs, TheBestAgainstTheWorst) {
  const auto pair = best_and_worst(answers({"a", "b", "c", "d"}), {1, 7.5, -2, 3});
  EXPECT_EQ(std::get<ordered_json>(pair).dump(),
            "{\"prompt\":[{\"role\":\"user\",\"content\":\"p\"}],"
            "\"chosen\":[{\"role\":\"assistant\",\"content\":\"b\"}],"
            "\"rejected\":[{\"role\":\"assistant\",\"content\":\"c\"}],"
            "\"score_chosen\":7.5,\"score_rejected\":-2.0}");
}

TEST(Pairs, OfEquallyGoodOnesTheFirst) {
  const auto pair =
      std::get<ordered_json>(best_and_worst(answers({"a", "b", "c", "d"}), {2, 1, 2, 1}));
  EXPECT_EQ(pair["chosen"][0]["content"], "a");
  EXPECT_EQ(pair["rejected"][0]["content"], "b");
}

TEST(Pairs, WhatIsNoPreferenceIsDroppedWithItsReason) {
  const auto reason = [](std::vector<std::string> responses, const Scores& scores) {
    return std::get<DropReason>(best_and_worst(answers(std::move(responses)), scores));
  };
  EXPECT_EQ(reason({"a"}, {1}), DropReason::single_response);
  EXPECT_EQ(reason({"a", "b", "c"}, {1, 1, 1}), DropReason::tied_scores);
  EXPECT_EQ(reason({"a", "a"}, {1, 2}), DropReason::identical_responses);
  EXPECT_EQ(reason({"a", " "}, {1, 2}), DropReason::empty_response);
}

// What is written of samples and scores is read as both again.
TEST(ScoredRows, AreSamplesAndScoresAtOnce) {
  const auto samples = samples_of(
      "{\"prompt\": \"p\", \"responses\": [\"a\", \"b\"], \"id\": \"x\"}\n"
      "{\"prompt\": \"q\", \"responses\": [\"a\", \"b\"], \"index\": 3}\n"
      "{\"prompt\": \"r\", \"responses\": [\"a\", \"b\"]}\n");
  const std::vector<Scores> scores = {{0.1, 2}, {-1e-7, 3}, {4, 5}};
  std::string text;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    text += scored_row(samples[i], scores[i]).dump() + "\n";
  }
  EXPECT_EQ(scores_of(samples, text), scores);
  const auto again = samples_of(text);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(again[i].key, samples[i].key);
    EXPECT_EQ(again[i].prompt, samples[i].prompt);
    EXPECT_EQ(again[i].responses, samples[i].responses);
  }
}

TEST(PairLines, CountWhatHasNoPair) {
  const std::vector<Samples> samples = {answers({"a", "b"}), answers({"a"}), answers({"c", "d"})};
  const std::vector<Scores> scores = {{1, 2}, {1}, {2, 1}};
  const PairLines pairs = pair_lines(samples, scores);
  EXPECT_EQ(pairs.lines,
            std::get<ordered_json>(best_and_worst(samples[0], scores[0])).dump() + "\n" +
                std::get<ordered_json>(best_and_worst(samples[2], scores[2])).dump() + "\n");
  EXPECT_EQ(pairs.drops.total(), 1);
  EXPECT_EQ(pairs.drops.count(DropReason::single_response), 1);
  EXPECT_EQ(scored_lines(samples, scores), scored_row(samples[0], scores[0]).dump() + "\n" +
                                               scored_row(samples[1], scores[1]).dump() + "\n" +
                                               scored_row(samples[2], scores[2]).dump() + "\n");
}

}  // namespace
}  // namespace lmpo::samples_test

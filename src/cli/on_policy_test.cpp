// From prompts to preferences by the program itself: samples that are interrupted and resumed,
// and pairs of scored ones.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <thread>

#include "cli/testing/program.h"

namespace lmpo::on_policy_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class OnPolicy : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    std::string prompts;
    for (int i = 0; i < 24; ++i) {
      prompts +=
          json{{"prompt", i % 2 == 0 ? "first : cat moon red" : "last : cat moon"}}.dump() + "\n";
    }
    prompts_ = write("prompts.jsonl", prompts);
  }

  Words generate(const std::string& out, const Words& more = {}) const {
    Words words = {"generate",
                   "-m",
                   model().string(),
                   "--prompts",
                   prompts_.string(),
                   "--output",
                   path(out).string(),
                   "--samples",
                   "3",
                   "--temperature",
                   "0.8,1.2",
                   "--max_new_tokens",
                   "48",
                   "-t",
                   "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Result succeed(const Words& words) {
    Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }
  std::string settings(const std::string& out) const {
    return read_file(path(out + ".settings.json"));
  }
  static std::ptrdiff_t lines_in(const fs::path& file) {
    const std::string text = fs::exists(file) ? read_file(file) : "";
    return std::count(text.begin(), text.end(), '\n');
  }

  void expect_refusal(const Words& words, const ::testing::Matcher<const std::string&>& message) {
    const auto before = contents(folder_);
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, message);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(changes(before, contents(folder_)), std::vector<std::string>());
  }

  fs::path prompts_;
};

TEST_F(OnPolicy, SamplesHaveTheirPromptAndWhatTheyWereMadeWith) {
  succeed(generate("samples.jsonl"));
  const std::vector<json> lines = json_lines(read_file(path("samples.jsonl")));
  ASSERT_EQ(lines.size(), 24U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["index"], i);
    EXPECT_EQ(lines[i]["prompt"], i % 2 == 0 ? "first : cat moon red" : "last : cat moon");
    EXPECT_EQ(lines[i]["responses"].size(), 3U);
    EXPECT_EQ(lines[i]["temperatures"], json({0.8, 1.2, 0.8}));
    EXPECT_EQ(lines[i]["output_tokens"].size(), 3U);
    EXPECT_EQ(lines[i]["finish_reasons"].size(), 3U);
  }
  EXPECT_NE(lines[0]["responses"], lines[2]["responses"]);  // the same prompt, other numbers
  const json made_with = json::parse(settings("samples.jsonl"));
  EXPECT_EQ(made_with["temperature"], json({0.8, 1.2}));
  EXPECT_EQ(made_with["num_return_sequences"], 3);
  EXPECT_EQ(made_with["seed"], 42);
  EXPECT_EQ(made_with["prompts"], 24);
}

// Each answer is the one that its temperature alone would have given.
TEST_F(OnPolicy, TemperaturesAreTakenInTurn) {
  const Words prompt = {
      "generate", "-m", model().string(), "--prompt", "last : cat moon", "--max_new_tokens", "16",
      "-t",       "1",  "--samples",      "4"};
  const auto answers = [&](const Words& more) {
    Words words = prompt;
    words.insert(words.end(), more.begin(), more.end());
    return json_lines(succeed(words).out);
  };
  const auto mixed = answers({"--temperature", "0,1.5"});
  const auto cold = answers({"--temperature", "0"});
  const auto warm = answers({"--temperature", "1.5"});
  ASSERT_EQ(mixed.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(mixed[i]["output"], (i % 2 == 0 ? cold : warm)[i]["output"]) << i;
  }
  EXPECT_NE(mixed[0]["output"], mixed[1]["output"]);
  Words words = prompt;
  words.resize(words.size() - 2);
  words.insert(words.end(), {"--temperature", "0.5,0.7,0.9"});
  EXPECT_EQ(json_lines(succeed(words).out).size(), 3U);  // one for each
  words.insert(words.end(), {"--samples", "2"});
  expect_refusal(words, HasSubstr("2 answers for 3 temperatures: some would not be used"));
}

TEST_F(OnPolicy, KilledAndGoneOnWithTheBytesAreThoseOfAnUnbrokenRun) {
  const Words more = {"--batch_size", "5", "--samples", "12"};
  succeed(generate("whole.jsonl", more));
  for (const std::ptrdiff_t lines : {2, 9}) {
    Program program(generate("broken.jsonl", more));
    while (lines_in(path("broken.jsonl")) < lines) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait().exit_code, -SIGKILL);
    EXPECT_LT(lines_in(path("broken.jsonl")), 24);
  }
  const Result last = succeed(generate("broken.jsonl", more));
  EXPECT_THAT(last.err, HasSubstr(" of 24 prompts already have their answers"));
  EXPECT_TRUE(read_file(path("broken.jsonl")) == read_file(path("whole.jsonl")));
  EXPECT_EQ(settings("broken.jsonl"), settings("whole.jsonl"));
}

TEST_F(OnPolicy, AFileThatWasCutAnywhereIsResumed) {
  succeed(generate("whole.jsonl"));
  const std::string whole = read_file(path("whole.jsonl"));
  const std::size_t second = whole.find('\n') + 1;
  write("part.jsonl.settings.json", settings("whole.jsonl"));
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, second - 1, second, second + 7,
                                 whole.size() - 1, whole.size()}) {
    write("part.jsonl", whole.substr(0, kept));
    const Result result = succeed(generate("part.jsonl"));
    EXPECT_TRUE(read_file(path("part.jsonl")) == whole) << kept;
    const bool torn = kept > 0 && whole[kept - 1] != '\n';
    EXPECT_EQ(result.err.find("were cut short") != std::string::npos, torn) << kept;
  }
  // What is there is kept: a line that could not come again is still there.
  std::string marked = whole.substr(0, second);
  marked.replace(marked.find("cat"), 3, "dog");
  write("part.jsonl", marked);
  succeed(generate("part.jsonl", {"--batch_size", "2", "-t", "1"}));  // these may change
  EXPECT_EQ(read_file(path("part.jsonl")).substr(0, second), marked);
  EXPECT_EQ(lines_in(path("part.jsonl")), 24);
}

TEST_F(OnPolicy, WhatCannotBeResumedIsRefusedAndLeftAlone) {
  succeed(generate("samples.jsonl"));
  const auto changed = [](const char* key, const char* was, const char* now) {
    return AllOf(HasSubstr(fmt::format("started with {} {}", key, was)), HasSubstr(now));
  };
  expect_refusal(generate("samples.jsonl", {"--seed", "1"}), changed("seed", "42", "now 1"));
  expect_refusal(generate("samples.jsonl", {"--temperature", "0.5"}),  // lists grow
                 changed("temperature", "[0.8,1.2]", "[0.8,1.2,0.5]"));
  expect_refusal(generate("samples.jsonl", {"--top_k", "5"}), changed("top_k", "0", "now 5"));
  const std::string prompts = read_file(prompts_);
  write("prompts.jsonl", prompts.substr(0, prompts.size() - 3) + "s\"}\n");
  expect_refusal(generate("samples.jsonl"), HasSubstr("started with prompts_fingerprint"));
  write("prompts.jsonl", prompts);
  const std::string whole = read_file(path("samples.jsonl"));
  write("samples.jsonl", "{\"index\": 0}\n{\"index\": 2}\n");
  expect_refusal(generate("samples.jsonl"),
                 HasSubstr("samples.jsonl:2: expected the answers to prompt 1"));
  write("samples.jsonl", "a letter\n");
  expect_refusal(generate("samples.jsonl"), HasSubstr("samples.jsonl:1: not valid JSON"));
  write("mine.jsonl", "{\"index\": 0}\n");
  expect_refusal(generate("mine.jsonl"), HasSubstr("settings it was made with are unknown"));
  expect_refusal(generate("no/folder.jsonl"), HasSubstr("there is no folder"));
}

TEST_F(OnPolicy, TwoRunsAtOnceDoNotMix) {
  const Words words = generate("samples.jsonl", {"--samples", "12"});
  Program first(words);
  while (lines_in(path("samples.jsonl")) < 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  first.signal(SIGSTOP);
  expect_refusal(words, HasSubstr("samples.jsonl: another program is writing"));
  first.signal(SIGCONT);
  EXPECT_EQ(first.wait().exit_code, 0);
  const std::string samples = read_file(path("samples.jsonl"));
  succeed(words);  // nothing is left to do
  EXPECT_EQ(read_file(path("samples.jsonl")), samples);
  EXPECT_EQ(lines_in(path("samples.jsonl")), 24);
}

TEST_F(OnPolicy, AFullDiskEndsGenerationAndLosesNothing) {
  succeed(generate("whole.jsonl"));
  const std::string whole = read_file(path("whole.jsonl"));
  const Result full = run(generate("part.jsonl"), {.largest_file = whole.size() / 2});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, AllOf(HasSubstr("part.jsonl: writing failed"), HasSubstr("too large")));
  const std::string fitting = whole.substr(0, whole.size() / 2);
  EXPECT_EQ(read_file(path("part.jsonl")), fitting.substr(0, fitting.rfind('\n') + 1));
  succeed(generate("part.jsonl"));
  EXPECT_TRUE(read_file(path("part.jsonl")) == whole);
}

class Pairs : public OnPolicy {
 protected:
  static ordered_json samples_row(const std::vector<std::string>& responses) {
    return {{"prompt", "last : cat moon"}, {"responses", responses}};
  }
  Words pair(const fs::path& samples, const Words& more) const {
    Words words = {"pair", "--samples", samples.string(), "--output", path("pairs.jsonl").string(),
                   "-t",   "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<json> pairs() const { return json_lines(read_file(path("pairs.jsonl"))); }
};

TEST_F(Pairs, OfScoresInAFile) {
  const fs::path samples =
      write("samples.jsonl", samples_row({"cat .", "moon .", "red ."}).dump() + "\n" +
                                 samples_row({"cat .", "moon .", "red ."}).dump() + "\n" +
                                 samples_row({"cat ."}).dump() + "\n");
  const fs::path scores =
      write("scores.jsonl",
            "{\"index\": 2, \"scores\": [9]}\n{\"index\": 0, \"scores\": [1, 3, "
            "2]}\n{\"index\": 1, \"scores\": [2, 2, 2]}\n");
  const Result result = succeed(pair(samples, {"--scores", scores.string()}));
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("1 pairs of 3 prompts; 2 dropped: fewer than two responses 1 "
                                    "(row 2), tied scores 1 (row 1)"));
  const json expected = {{"prompt", {{{"role", "user"}, {"content", "last : cat moon"}}}},
                         {"chosen", {{{"role", "assistant"}, {"content", "moon ."}}}},
                         {"rejected", {{{"role", "assistant"}, {"content", "cat ."}}}},
                         {"score_chosen", 3.0},
                         {"score_rejected", 1.0}};
  EXPECT_THAT(pairs(), ElementsAre(expected));
}

TEST_F(Pairs, ScoresThatDoNotMatchAreNamed) {
  const fs::path samples = write("samples.jsonl", samples_row({"cat .", "moon ."}).dump() + "\n");
  const auto expect = [&](const char* scores, const char* message) {
    const fs::path file = write("scores.jsonl", scores);
    expect_refusal(pair(samples, {"--scores", file.string()}), HasSubstr(message));
  };
  expect("{\"scores\": [1, 2, 3]}\n", "scores.jsonl:1: key 'scores': a list of 2 numbers");
  expect("{\"index\": 4, \"scores\": [1, 2]}\n",
         "scores.jsonl:1: no samples have the id or index 4");
  expect("", "scores.jsonl: 1 of 1 samples have no scores: 0");
  expect_refusal(pair(samples, {}), HasSubstr("give either --scores FILE or --reward_model DIR"));
  expect_refusal(pair(samples, {"--scores", "a", "--reward_model", "b"}),
                 HasSubstr("give either --scores FILE or --reward_model DIR"));
  expect_refusal(pair(write("empty.jsonl", ""), {"--scores", "a"}),
                 HasSubstr("empty.jsonl: this file has no samples"));
}

// The whole way: samples of a policy, rewards, pairs, a step of training on them.
TEST_F(Pairs, OfARewardModelAndTrainedOn) {
  const fs::path judge = reward_model("judge", 1);
  succeed(generate("samples.jsonl"));
  const Words words = pair(path("samples.jsonl"), {"--reward_model", judge.string()});
  const Result result = succeed(words);
  EXPECT_THAT(result.err, HasSubstr(" pairs of 24 prompts; "));
  const std::vector<json> first = pairs();
  ASSERT_GE(first.size(), 20U);  // some answers of this model are empty
  const std::vector<json> samples = json_lines(read_file(path("samples.jsonl")));
  for (const json& row : first) {
    EXPECT_GT(row["score_chosen"], row["score_rejected"]);
    EXPECT_TRUE(std::ranges::any_of(samples, [&](const json& sample) {
      const json& all = sample["responses"];
      return sample["prompt"] == row["prompt"][0]["content"] &&
             std::ranges::find(all, row["chosen"][0]["content"]) != all.end() &&
             std::ranges::find(all, row["rejected"][0]["content"]) != all.end();
    })) << row;
  }
  // The scores by themselves make the same pairs, and are ranked lists.
  const std::string bytes = read_file(path("pairs.jsonl"));
  const fs::path scored = path("scored.jsonl");
  Words saving = words;
  saving.insert(saving.end(), {"--scored_output", scored.string()});
  succeed(saving);
  EXPECT_EQ(lines_in(scored), 24);
  succeed(pair(path("samples.jsonl"), {"--scores", scored.string()}));
  EXPECT_EQ(read_file(path("pairs.jsonl")), bytes);
  succeed({"train", "-m", model().string(), "--data", scored.string(), "--objective", "pro",
           "--output_dir", path("ranked").string(), "--max_steps", "1", "-t", "1"});
  // However prompts are packed.
  succeed(pair(path("samples.jsonl"),
               {"--reward_model", judge.string(), "--per_device_eval_batch_size", "7"}));
  const std::vector<json> packed = pairs();
  ASSERT_EQ(packed.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(packed[i]["chosen"], first[i]["chosen"]);
    EXPECT_NEAR(packed[i]["score_chosen"].get<double>(), first[i]["score_chosen"].get<double>(),
                1e-4);
  }
  const Result trained =
      succeed({"train", "-m", model().string(), "--data", path("pairs.jsonl").string(),
               "--output_dir", path("out").string(), "--max_steps", "1", "-t", "1"});
  EXPECT_THAT(trained.err, HasSubstr(fmt::format("{} rows, none dropped", first.size())));
}

TEST_F(Pairs, WhatIsNoRewardModelIsNamed) {
  const fs::path samples = write("samples.jsonl", samples_row({"cat .", "moon ."}).dump() + "\n");
  const fs::path two = reward_model("two", 2);
  expect_refusal(
      pair(samples, {"--reward_model", two.string()}),
      HasSubstr("score.weight is [2, 32], a row for each of 2 labels; a reward model has "
                "one label"));
  expect_refusal(pair(samples, {"--reward_model", model().string()}),
                 AllOf(HasSubstr(model().string()), HasSubstr("there is no score.weight")));
  const fs::path mute = reward_model("mute", 1);
  fs::remove(mute / "chat_template.jinja");
  expect_refusal(pair(samples, {"--reward_model", mute.string()}),
                 HasSubstr("messages need a chat template, and the model folder has none"));
}

TEST_F(Pairs, AFullDiskLeavesNothingBehind) {
  std::string rows;
  std::string scores;
  for (int i = 0; i < 50; ++i) {
    rows += samples_row({"cat .", "moon ."}).dump() + "\n";
    scores += "{\"scores\": [1, 2]}\n";
  }
  const fs::path samples = write("samples.jsonl", rows);
  const Words words = pair(samples, {"--scores", write("scores.jsonl", scores).string()});
  const Result full = run(words, {.largest_file = 2000});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("pairs.jsonl: writing failed"));
  for (const auto& [name, content] : contents(folder_)) {
    EXPECT_THAT(name, Not(HasSubstr("pairs"))) << name;
  }
  succeed(words);
  EXPECT_EQ(pairs().size(), 50U);
}

}  // namespace
}  // namespace lmpo::on_policy_test

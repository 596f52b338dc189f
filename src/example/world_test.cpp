// The toy language by its own rules, and its files as lmpo reads them.
#include "example/world.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "base/json.h"
#include "base/testing/test_folder.h"
#include "data/dataset.h"
#include "example/world_files.h"

namespace lmpo::world_test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr WorldSizes kSmall = {
    .answers = 60, .preferences = 80, .held_out_preferences = 30, .held_out_prompts = 40};
const std::vector<std::string> kWords = {"cat", "moon", "red"};

// Within four standard deviations of a share that is `expected`.
void expect_share(double expected, std::int64_t hits, std::int64_t of) {
  const auto n = static_cast<double>(of);
  EXPECT_NEAR(static_cast<double>(hits) / n, expected,
              4 * std::sqrt(expected * (1 - expected) / n));
}

TEST(World, AnswersAreThoseOfTheirTasks) {
  EXPECT_THAT((Instruction{Task::first, kWords}.answer()), ElementsAre("cat"));
  EXPECT_THAT((Instruction{Task::last, kWords}.answer()), ElementsAre("red"));
  EXPECT_THAT((Instruction{Task::repeat, kWords}.answer()), ElementsAre("cat", "moon", "red"));
  EXPECT_THAT((Instruction{Task::reverse, kWords}.answer()), ElementsAre("red", "moon", "cat"));
}

TEST(World, JudgesTheListWordsAlone) {
  const Instruction last = {Task::last, kWords};
  EXPECT_TRUE(is_right(last, "red ."));
  EXPECT_TRUE(is_right(last, "well , let me think . the answer is red . i hope this helps ."));
  EXPECT_TRUE(is_right(last, "no list word but red"));
  for (const char* wrong : {"", "cat .", "red red .", "cat red .", "redd ."}) {
    EXPECT_FALSE(is_right(last, wrong)) << wrong;
  }
  const Instruction reverse = {Task::reverse, kWords};
  EXPECT_TRUE(is_right(reverse, "red moon cat ."));
  EXPECT_FALSE(is_right(reverse, "cat moon red ."));
  EXPECT_FALSE(is_right(reverse, "red moon ."));
}

TEST(World, InstructionsAreReadBack) {
  Random random(3, 0);
  for (int i = 0; i < 200; ++i) {
    const Instruction instruction = random_instruction(random);
    const auto read = parse_instruction(instruction.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->task, instruction.task);
    EXPECT_EQ(read->words, instruction.words);
    EXPECT_THAT(std::set(instruction.words.begin(), instruction.words.end()),
                SizeIs(instruction.words.size()));
    EXPECT_GE(instruction.words.size(), 2U);
    EXPECT_LE(instruction.words.size(), 4U);
  }
  for (const char* other : {"", "first", "first : ", "first : cat", "best : cat moon"}) {
    EXPECT_FALSE(parse_instruction(other)) << other;
  }
}

TEST(World, PreferencesAreTheStatedChances) {
  const WorldChances chances;
  const Instruction first = {Task::first, kWords};
  const std::string right = "cat .";
  const std::string long_right = "the answer is cat .";
  const std::string wrong = "the answer is red .";
  EXPECT_DOUBLE_EQ(preference(first, right, wrong, chances), 0.95);  // although it is shorter
  EXPECT_NEAR(preference(first, wrong, right, chances), 0.05, 1e-12);
  EXPECT_DOUBLE_EQ(preference(first, long_right, right, chances), 0.65);
  EXPECT_DOUBLE_EQ(preference(first, right, long_right, chances), 0.35);
  EXPECT_DOUBLE_EQ(preference(first, right, right, chances), 0.5);
}

// What random_comparison draws agrees with `preference` and with right and long answers' chances.
TEST(World, ComparisonsFollowTheChances) {
  const WorldChances chances;
  Random random(5, 0);
  std::int64_t decided = 0;
  std::int64_t right_won = 0;
  std::int64_t tied = 0;
  std::int64_t longer_won = 0;
  std::int64_t lazy = 0;
  std::int64_t lazy_right = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Instruction asked = random_instruction(random);
    const auto [chosen, rejected] = random_comparison(asked, chances, random);
    ASSERT_NE(chosen, rejected);
    const bool chosen_right = is_right(asked, chosen);
    if (chosen_right != is_right(asked, rejected)) {
      ++decided;
      right_won += chosen_right;
    } else if (chosen.size() != rejected.size()) {
      ++tied;
      longer_won += chosen.size() > rejected.size();
    }
    if (asked.task == Task::last) {
      ++lazy;
      lazy_right += is_right(asked, random_answer(asked, chances, random));
    }
  }
  ASSERT_GT(decided, 5000);
  ASSERT_GT(tied, 5000);
  expect_share(chances.right_wins, right_won, decided);
  expect_share(chances.longer_wins, longer_won, tied);
  expect_share(chances.right_lazy, lazy_right, lazy);
}

class WorldFiles : public FolderTest {
 protected:
  fs::path made(const std::string& name, std::uint64_t seed) const {
    fs::create_directories(folder_ / name);
    write_world(folder_ / name, kSmall, seed);
    return folder_ / name;
  }

  static std::vector<json> rows_of(const fs::path& file) {
    std::vector<json> rows;
    std::istringstream lines(read_file(file));
    for (std::string line; std::getline(lines, line);) {
      rows.push_back(json::parse(line));
    }
    return rows;
  }
};

TEST_F(WorldFiles, AreThoseOfTheirSeed) {
  const fs::path one = made("one", 7);
  const fs::path same = made("same", 7);
  const fs::path other = made("other", 8);
  for (const auto& entry : fs::directory_iterator(one)) {
    const fs::path name = entry.path().filename();
    EXPECT_EQ(read_file(one / name), read_file(same / name)) << name;
    EXPECT_EQ(read_file(one / name) != read_file(other / name), name.extension() == ".jsonl")
        << name;
  }
}

TEST_F(WorldFiles, HeldOutInstructionsAreNotTrainedOn) {
  const fs::path world = made("world", 1);
  std::set<std::string> trained;
  for (const json& row : rows_of(world / "answers.jsonl")) {
    trained.insert(row["messages"][0]["content"]);
  }
  for (const json& row : rows_of(world / "preferences.jsonl")) {
    trained.insert(row["prompt"][0]["content"]);
  }
  for (const char* file : {"held_out_prompts.jsonl", "held_out_preferences.jsonl"}) {
    for (const json& row : rows_of(world / file)) {
      EXPECT_FALSE(trained.contains(row["prompt"][0]["content"])) << row;
    }
  }
}

TEST_F(WorldFiles, AreReadAsData) {
  const fs::path world = made("world", 1);
  const Tokenizer tokenizer = Tokenizer::load(world);
  const std::optional<ChatTemplate> chat = ChatTemplate::load(world);
  ASSERT_TRUE(chat);
  const Dataset pairs =
      load_dataset({world / "preferences.jsonl"}, tokenizer, &chat.value(), DataOptions{});
  EXPECT_EQ(pairs.rows, kSmall.preferences);
  EXPECT_EQ(std::ssize(pairs.trees), kSmall.preferences);
  EXPECT_EQ(pairs.conversations, kSmall.preferences);
  DataOptions sft;
  sft.kind = RowKind::sft;
  EXPECT_EQ(
      std::ssize(load_dataset({world / "answers.jsonl"}, tokenizer, &chat.value(), sft).trees),
      kSmall.answers);
}

TEST_F(WorldFiles, EveryWordIsOneToken) {
  const Tokenizer tokenizer = Tokenizer::load(made("world", 1));
  for (const auto* words : {&list_words(), &other_words()}) {
    for (const std::string& word : *words) {
      EXPECT_THAT(tokenizer.encode(" " + word, false), SizeIs(1)) << word;
    }
  }
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("x\xc3\xa9 \xe7\x8b\xbc", false), true),
            "x\xc3\xa9 \xe7\x8b\xbc");
}

}  // namespace
}  // namespace lmpo::world_test

// Where the documents of tasks are found, and what is said where they are not.
#include "evaluate/task_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing/test_folder.h"
#include "evaluate/registry.h"

namespace lmpo::task_files_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kRow =
    R"({"id": "q", "question": "Why?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"})"
    "\n";

class TaskFiles : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    ::setenv("HF_HUB_CACHE", (folder_ / "hub").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("HF_HUB_CACHE");
    FolderTest::TearDown();
  }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, content);
  }
  const TaskInfo& arc() const {
    return *choose_tasks({"arc_challenge"}, Harness::current).tasks.at(0);
  }
  std::vector<Document> read(const std::string& split = "test") const {
    return read_documents(arc(), split, {folder_ / "data"});
  }
  std::string refusal(const std::string& split = "test") const {
    return user_error_of([&] { read(split); });
  }
};

TEST_F(TaskFiles, ADatasetIsFoundByItsNameAsAFileAndInTheCache) {
  fs::create_directories(folder_ / "data");
  const std::string missing = refusal();
  EXPECT_THAT(missing, AllOf(HasSubstr("arc_challenge"), HasSubstr("allenai/ai2_arc"),
                             HasSubstr("ARC-Challenge"), HasSubstr("hf download allenai/ai2_arc"),
                             HasSubstr("arc_challenge_test.jsonl")));
  const std::string snapshot = "hub/datasets--allenai--ai2_arc/";
  write(snapshot + "refs/main", "abc");
  write(snapshot + "snapshots/abc/ARC-Challenge/test.jsonl", kRow);
  EXPECT_EQ(read().size(), 1U);
  write("data/arc_challenge_test.jsonl", std::string(kRow) + kRow);
  EXPECT_EQ(read().size(), 2U);
  write("data/ai2_arc/ARC-Challenge/test.jsonl", std::string(kRow) + kRow + kRow);
  EXPECT_EQ(read().size(), 3U);
  write("data/allenai/ai2_arc/ARC-Challenge/test-00000-of-00001.jsonl", kRow);
  EXPECT_EQ(read().size(), 1U);
  EXPECT_THAT(refusal("train"), AllOf(HasSubstr("no split 'train'"), HasSubstr("test")));
  EXPECT_THAT(user_error_of([&] { read_documents(arc(), "test", {folder_ / "nowhere"}); }),
              HasSubstr("no such file or folder"));
}

TEST_F(TaskFiles, AnotherConfigurationIsNamed) {
  write("data/ai2_arc/ARC-Easy/test.jsonl", kRow);
  EXPECT_THAT(refusal(), HasSubstr("no configuration 'ARC-Challenge'"));
}

TEST_F(TaskFiles, RowsOfAnotherSchemaAreNamed) {
  write("data/arc_challenge_test.jsonl", std::string(kRow) + R"({"query": "Why?", "gold": 1})");
  const std::vector<Document> documents = read();
  EXPECT_THAT(user_error_of([&] { arc().ask(documents.at(1)); }),
              AllOf(HasSubstr("arc_challenge_test.jsonl:2"), HasSubstr("'choices' is missing"),
                    HasSubstr("query, gold")));
  const Document wrong(ordered_json::parse(R"({"question": 3, "choices": {"text": [1]}})"), "f:1");
  EXPECT_THAT(user_error_of([&] { wrong.text("question"); }),
              AllOf(HasSubstr("f:1: 'question' is 3"), HasSubstr("a text")));
  EXPECT_THAT(user_error_of([&] { wrong.part("choices").texts("text"); }),
              AllOf(HasSubstr("f:1: choices"), HasSubstr("a list of texts")));
  EXPECT_THAT(user_error_of([&] { wrong.number("choices"); }), HasSubstr("an integer"));
}

TEST_F(TaskFiles, ATextIsOneDocument) {
  const TaskInfo& task = *choose_tasks({"perplexity"}, Harness::current).tasks.at(0);
  EXPECT_THAT(user_error_of([&] { read_documents(task, "test", {}); }), HasSubstr("--data FILE"));
  write("own.txt", "one\ntwo\n");
  const auto documents = read_documents(task, "test", {folder_ / "own.txt"});
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(documents[0].text("text"), "one\ntwo\n");
  write("bad.txt", "\xFF");
  EXPECT_THAT(user_error_of([&] { read_documents(task, "test", {folder_ / "bad.txt"}); }),
              HasSubstr("not valid UTF-8"));
}

TEST(Tasks, AnUnknownOneIsNamedWithTheNearest) {
  EXPECT_THAT(user_error_of([] { choose_tasks({"arc_chalenge"}, Harness::current); }),
              AllOf(HasSubstr("'arc_chalenge'"), HasSubstr("arc_challenge")));
  EXPECT_THAT(user_error_of([] { choose_tasks({"mmlu"}, Harness::open_llm_v1); }),
              HasSubstr("'mmlu'"));
}

TEST(Tasks, GroupsHoldTheirMembersOnce) {
  const ChosenTasks chosen = choose_tasks({"mmlu_stem", "mmlu", "mmlu_anatomy"}, Harness::current);
  EXPECT_EQ(chosen.tasks.size(), 57U);
  EXPECT_EQ(chosen.groups.size(), 5U);
  EXPECT_EQ(choose_tasks({"leaderboard_bbh"}, Harness::current).tasks.size(), 24U);
}

}  // namespace
}  // namespace lmpo::task_files_test

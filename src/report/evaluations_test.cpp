// Results of evaluations beside runs, and several models compared.
#include "report/evaluations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/testing/test_folder.h"

namespace lmpo::evaluations_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Evaluations : public FolderTest {
 protected:
  // A document's number each; a task's samples and results as lm-eval writes them.
  struct Given {
    std::string task;
    std::vector<double> values;
  };

  void write(const std::string& folder, const std::string& model, const std::vector<Given>& tasks,
             const json& more = json::object(), const std::string& date = "_2026-01-02") const {
    json all = {{"results", json::object()}, {"model_name", model}, {"date", 1.0}};
    fs::create_directories(folder_ / folder);
    for (const Given& given : tasks) {
      double sum = 0;
      std::string lines;
      for (std::size_t i = 0; i < given.values.size(); ++i) {
        sum += given.values[i];
        lines += json({{"doc_id", i},
                       {"filter", "none"},
                       {"target_hash", "t" + std::to_string(i)},
                       {"acc", given.values[i]}})
                     .dump() +
                 "\n";
      }
      all["results"][given.task] = {{"acc,none", sum / static_cast<double>(given.values.size())},
                                    {"acc_stderr,none", 0.1},
                                    {"alias", given.task}};
      all["n-samples"][given.task] = {{"effective", given.values.size()}};
      all["n-shot"][given.task] = 5;
      write_file_atomically(folder_ / folder / ("samples_" + given.task + date + ".jsonl"), lines);
    }
    all.update(more, true);
    write_file_atomically(folder_ / folder / ("results" + date + ".json"), all.dump());
  }
  std::vector<Evaluation> read(const std::vector<std::string>& folders) const {
    std::vector<std::string> names;
    for (const std::string& folder : folders) {
      const std::size_t equals = folder.find('=');
      names.push_back(equals == std::string::npos
                          ? (folder_ / folder).string()
                          : folder.substr(0, equals + 1) +
                                (folder_ / folder.substr(equals + 1)).string());
    }
    return read_evaluations(names, {});
  }
};

TEST_F(Evaluations, DifferencesArePairedByDocument) {
  write("a", "models/base", {{"piqa", {1, 0, 0, 1}}});
  write("b", "models/tuned", {{"piqa", {1, 1, 0, 1}}});
  const std::vector<Evaluation> both = read({"a", "new=b"});
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].name, "base");
  EXPECT_EQ(both[1].name, "new");
  const auto difference = paired_difference(both[1].scores.at("piqa"), both[0].scores.at("piqa"));
  ASSERT_TRUE(difference);
  EXPECT_DOUBLE_EQ(difference->value, 0.25);
  // Differences 0, 1, 0, 0: their standard deviation is 0.5.
  EXPECT_DOUBLE_EQ(difference->error, 0.25);
  const std::string table = evaluation_markdown(both);
  EXPECT_THAT(table, HasSubstr("| model | piqa, acc (5-shot, 4 documents) |\n|---|---:|\n"
                               "| base | 50.00 ± 10.00 |\n| new | 75.00 ± 10.00 |\n"));
  EXPECT_THAT(table, HasSubstr("Differences from base"));
  EXPECT_THAT(table, HasSubstr("| new | +25.00 ± 25.00 |\n"));
}

TEST_F(Evaluations, AGroupStandsForItsTasks) {
  const json group = {{"group_subtasks", {{"both", {"one", "two"}}}},
                      {"results", {{"both", {{"acc,none", 0.5}, {"acc_stderr,none", "N/A"}}}}}};
  const json better = {{"group_subtasks", {{"both", {"one", "two"}}}},
                       {"results", {{"both", {{"acc,none", 2.0 / 3}}}}}};
  write("a", "a", {{"one", {1, 0}}, {"two", {1, 0, 1, 0}}}, group);
  write("b", "b", {{"one", {1, 1}}, {"two", {1, 0, 1, 0}}}, better);
  const std::vector<Evaluation> both = read({"a", "b"});
  ASSERT_EQ(both[0].scores.size(), 1U);
  const TaskScore& score = both[1].scores.at("both");
  EXPECT_EQ(score.settings, "5-shot, 6 documents");
  const auto difference = paired_difference(score, both[0].scores.at("both"));
  // The sum's variance: 2 documents whose differences 0 and 1 have variance 1/2.
  EXPECT_NEAR(difference->value, 1.0 / 6, 1e-12);
  EXPECT_NEAR(difference->error, 1.0 / 6, 1e-12);
}

TEST_F(Evaluations, WhatIsNotAlikeIsNotCompared) {
  write("a", "a", {{"piqa", {1, 0}}});
  write("b", "b", {{"piqa", {1, 0}}}, {{"n-shot", {{"piqa", 0}}}});
  const std::vector<Evaluation> both = read({"a", "b"});
  EXPECT_FALSE(paired_difference(both[1].scores.at("piqa"), both[0].scores.at("piqa")));
  const std::string table = evaluation_markdown(both);
  EXPECT_THAT(table, HasSubstr("| b | not comparable |"));
  EXPECT_THAT(table, HasSubstr("| b | 50.00 ± 10.00 (acc, 0-shot, 2 documents) |"));

  // Other documents of the same number.
  write("c", "c", {{"piqa", {1, 0}}});
  write_file_atomically(folder_ / "c/samples_piqa_2026-01-02.jsonl",
                        "{\"doc_id\": 0, \"target_hash\": \"x\", \"acc\": 1}\n"
                        "{\"doc_id\": 1, \"target_hash\": \"y\", \"acc\": 1}\n");
  EXPECT_FALSE(paired_difference(read({"c"})[0].scores.at("piqa"), both[0].scores.at("piqa")));

  // Without samples the difference has no error.
  fs::remove(folder_ / "c/samples_piqa_2026-01-02.jsonl");
  const auto bare = paired_difference(read({"c"})[0].scores.at("piqa"), both[0].scores.at("piqa"));
  ASSERT_TRUE(bare);
  EXPECT_TRUE(std::isnan(bare->error));
}

TEST_F(Evaluations, BelongToTheirRuns) {
  lmpo::Run run;
  run.name = "lmpo";
  run.folder = folder_ / "out";
  write("out/eval", (folder_ / "out").string(), {{"piqa", {1, 1}}});
  write("elsewhere", (folder_ / "out/checkpoint-5").string(), {{"piqa", {1, 0}}});
  const std::vector<std::string> names = {(folder_ / "elsewhere").string()};
  const std::vector<Evaluation> found = read_evaluations(names, {&run, 1});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "lmpo checkpoint-5");
  EXPECT_EQ(found[1].name, "lmpo");
}

TEST_F(Evaluations, TheLatestCountsAndAFolderWithoutAnyIsRefused) {
  write("a", "a", {{"piqa", {1, 0}}}, {{"date", 2.0}}, "_1");
  write("a", "a", {{"piqa", {1, 1}}}, {{"date", 1.0}}, "_2");
  EXPECT_EQ(read({"a"})[0].scores.at("piqa").value, 0.5);
  write_file_atomically(folder_ / "a/results_3.json", "{\"results\": [");
  EXPECT_EQ(read({"a"}).size(), 1U);
  fs::create_directory(folder_ / "empty");
  EXPECT_THAT(user_error_of([&] { read({"empty"}); }), HasSubstr("results_*.json in it"));
  EXPECT_THAT(evaluation_tables({}), ElementsAre());
}

}  // namespace
}  // namespace lmpo::evaluations_test

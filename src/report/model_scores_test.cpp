// Results side by side: numbers by hand.
#include "report/model_scores.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/json.h"
#include "base/testing/test_folder.h"
#include "report/score_table.h"

namespace lmpo::model_scores_test {
namespace {

using ::testing::HasSubstr;

std::string table(const std::vector<ModelScores>& models) {
  return score_table(models);
}

class ModelScoresTest : public FolderTest {
 protected:
  // Results of ARC with these values of documents, and of a group of two tasks with one document
  // each.
  void write(const std::string& name, const std::vector<int>& values, bool samples = true) {
    const fs::path folder = folder_ / name / "model";
    fs::create_directories(folder);
    double sum = 0;
    std::string lines;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += values[i];
      for (const char* filter : {"none", "other"}) {
        const int value = filter == std::string("none") ? values[i] : 1 - values[i];
        lines +=
            fmt::format(R"({{"doc_id":{},"doc_hash":"h{}","filter":"{}","acc_norm":{},"acc":7}})"
                        "\n",
                        i, i, filter, value);
      }
    }
    const double mean = sum / static_cast<double>(values.size());
    const ordered_json results = {
        {"results",
         {{"arc_challenge",
           {{"alias", "arc_challenge"},
            {"sample_len", values.size()},
            {"acc,none", 0.9},
            {"acc_norm,none", mean},
            {"acc_norm_stderr,none", 0.5}}},
          {"group", {{"sample_len", 2}, {"acc_norm,none", (values[0] + values[1]) / 2.0}}},
          {"one", {{"sample_len", 1}, {"acc_norm,none", values[0]}}},
          {"two", {{"sample_len", 1}, {"acc_norm,none", values[1]}}}}},
        {"group_subtasks", {{"group", {"one", "two"}}}},
        {"n-shot", {{"arc_challenge", 25}, {"one", 0}, {"two", 0}}}};
    write_file_atomically(folder / "results_2026.json", results.dump());
    write_file_atomically(folder / "results_2025.json", "older");
    if (samples) {
      write_file_atomically(folder / "samples_arc_challenge_2026.jsonl", lines);
      for (int i = 0; i < 2; ++i) {
        write_file_atomically(
            folder / (i == 0 ? "samples_one_2026.jsonl" : "samples_two_2026.jsonl"),
            fmt::format(R"({{"doc_id":0,"doc_hash":"same","acc_norm":{}}})",
                        values[static_cast<std::size_t>(i)]));
      }
    }
  }
  ModelScores read(const std::string& name) const {
    return read_model_scores(name, folder_ / name);
  }
};

TEST_F(ModelScoresTest, PairsDocuments) {
  write("base", {1, 0, 0, 1});
  write("lmpo", {1, 1, 0, 0});
  const TaskScore base = read("base").tasks.at("arc_challenge");
  const TaskScore lmpo = read("lmpo").tasks.at("arc_challenge");
  EXPECT_EQ(base.metric, "acc_norm,none");
  EXPECT_EQ(base.examples, 25);
  EXPECT_EQ(base.error, 0.5);
  EXPECT_EQ(base.documents, 4);
  const ScoreDifference difference = difference_of("arc_challenge", lmpo, base);
  EXPECT_EQ(difference.difference, 0);
  // Differences 0, 1, 0, -1: their variance is 2/3.
  EXPECT_NEAR(difference.error.value(), std::sqrt(2.0 / 3 / 4), 1e-15);
}

TEST_F(ModelScoresTest, AGroupStandsForItsTasks) {
  write("base", {1, 0, 0, 1});
  const ModelScores base = read("base");
  EXPECT_EQ(base.tasks.size(), 2U);
  EXPECT_EQ(base.tasks.at("group").by_document.size(), 2U);  // of equal hashes
  EXPECT_EQ(base.tasks.at("group").examples, std::nullopt);
}

TEST_F(ModelScoresTest, ShowsPercentAndDifferences) {
  write("base", {1, 0, 0, 1});
  write("lmpo", {1, 1, 1, 0});
  EXPECT_EQ(table({read("base"), read("lmpo")}),
            "| model | ARC | group | mean |\n"
            "| --- | --- | --- | --- |\n"
            "| base | 50.00 | 50.00 | 50.00 |\n"
            "| lmpo | 75.00 | 100.00 | 87.50 |\n"
            "| lmpo − base | +25.00 ± 47.87 | +50.00 ± 50.00 | +37.50 |\n"
            "\nARC acc_norm (25-shot), 4 documents; group acc_norm, 2 documents.\n");
}

TEST_F(ModelScoresTest, WithoutSamplesThereIsNoError) {
  write("base", {1, 0, 0, 1}, false);
  write("lmpo", {1, 1, 1, 0});
  EXPECT_THAT(table({read("base"), read("lmpo")}), HasSubstr("| +25.00 | +50.00 |"));
}

TEST_F(ModelScoresTest, OtherDocumentsAreRefused) {
  write("base", {1, 0, 0, 1});
  write("few", {1, 0});
  EXPECT_THAT(user_error_of([&] {
                table({read("base"), read("few")});
              }),
              HasSubstr("arc_challenge: acc_norm,none of 2 documents cannot be compared"));
  ModelScores other = read("base");
  auto& documents = other.tasks.at("arc_challenge").by_document;
  documents["another"] = documents.extract("h0").mapped();
  EXPECT_THAT(user_error_of([&] {
                table({read("base"), other});
              }),
              HasSubstr("the models were asked different documents"));
}

TEST_F(ModelScoresTest, FoldersWithoutResultsAreRefused) {
  EXPECT_THAT(user_error_of([&] { read_model_scores("a", folder_ / "none"); }),
              HasSubstr("a folder with results of lmpo eval was expected"));
  EXPECT_THAT(user_error_of([&] { read_model_scores("a", folder_); }),
              HasSubstr("has no results_*.json"));
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "an object \"results\" was expected"},
           {R"({"results": {"a": {"acc,none": "N/A", "acc_stderr,none": 1}}})",
            "no task has a number"},
           {"{", "results_1.json"}}) {
    write_file_atomically(folder_ / "results_1.json", text);
    EXPECT_THAT(user_error_of([&] { read_model_scores("a", folder_); }), HasSubstr(message));
  }
}

TEST_F(ModelScoresTest, AFolderOfSeveralModelsIsRefused) {
  for (const char* model : {"a", "b"}) {
    fs::create_directories(folder_ / model);
    write_file_atomically(folder_ / model / "results_1.json", "{}");
  }
  EXPECT_THAT(user_error_of([&] { read_model_scores("a", folder_); }),
              HasSubstr("has results of 2 models: name the folder of one of them"));
}

}  // namespace
}  // namespace lmpo::model_scores_test

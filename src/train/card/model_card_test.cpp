// Model cards: what they say, and that nothing in the data can change what they are.
#include "train/card/model_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "base/json.h"
#include "base/testing/test_folder.h"
#include "data/dataset_folder.h"
#include "train/card/front_matter.h"
#include "train/card/markdown_text.h"

namespace lmpo::model_card_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json given(const json& value, const char* source, const char* place) {
  return {{"value", value}, {"source", source}, {"place", place}};
}

class ModelCard : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    run_ = {{"lmpo_version", "1.2.3"},
            {"data_fingerprint", "abc"},
            {"train_data",
             {{"rows", 50}, {"used", 48}, {"truncated", 1}, {"dropped", {{"empty response", 2}}}}},
            {"eval_data", nullptr},
            {"options",
             {{"objective", given("dpo", "flag", "--objective")},
              {"beta", {{"value", 0.1}, {"source", "default"}}},
              {"model_name_or_path",
               given("/cache/models--some--base/snapshots/1f", "file", "r.yaml:1")},
              {"dataset", given({"owner/pairs", {{"path", "my|`file`.jsonl"}, {"weight", 2}}},
                                "flag", "--data")},
              {"eval_dataset", {{"value", json::array()}, {"source", "default"}}}}},
            {"result", {{"train_runtime", 75.0}, {"memory_peak", 3 << 20}}}};
    state_ = {{"global_step", 3},
              {"epoch", 1.0},
              {"num_input_tokens_seen", 1234},
              {"log_history",
               {{{"step", 1}, {"loss", 0.7}, {"rewards/accuracies", 0.5}, {"rewards/chosen", -2.0}},
                {{"step", 2}, {"loss", 0.5}, {"rewards/accuracies", 0.75}},
                {{"step", 3}, {"loss", 0.6}, {"rewards/accuracies", nullptr}},
                {{"step", 3}, {"train_loss", 0.6}}}}};
  }
  std::string card() {
    write_file_atomically(folder_ / "lmpo_run.json", run_.dump());
    write_file_atomically(folder_ / "trainer_state.json", state_.dump());
    return run_card(folder_);
  }
  YAML::Node matter(const std::string& text) {
    write_file_atomically(folder_ / "card", text);
    return YAML::Load(front_matter(folder_ / "card"));
  }

  json run_;
  json state_;
};

TEST_F(ModelCard, TellsDataResultsSettingsAndPaper) {
  const std::string text = card();
  EXPECT_THAT(
      text,
      AllOf(
          HasSubstr("[some/base](https://huggingface.co/some/base) trained by the objective `dpo`"),
          HasSubstr("| training | 50 | 48 | 1 | empty response: 2 |"),
          HasSubstr("- training: ``my|`file`.jsonl``"),
          HasSubstr("| `loss` | 0.6 | 0.5 (step 2) |"),
          HasSubstr("| `rewards/accuracies` | 0.75 | 0.75 (step 2) |"),
          HasSubstr("| `rewards/chosen` | -2 |  |"), HasSubstr("| time | 0:01:15 |"),
          HasSubstr("| tokens | 1234 |"), HasSubstr("| `objective` | `dpo` | `--objective` |"),
          HasSubstr("| `beta` | `0.1` |"), HasSubstr("@article{rafailov2023direct,"),
          HasSubstr("Made by lmpo 1.2.3."), Not(HasSubstr("training_curves.svg")),
          Not(HasSubstr("evaluation, last"))));
  // In a table a bar would end the cell.
  EXPECT_THAT(text, HasSubstr("my\\|`file`.jsonl"));
  const YAML::Node head = matter(text);
  EXPECT_EQ(head["library_name"].Scalar(), "transformers");
  EXPECT_EQ(head["pipeline_tag"].Scalar(), "text-generation");
  EXPECT_EQ(head["base_model"][0].Scalar(), "some/base");
  EXPECT_EQ(head["datasets"][0].Scalar(), "owner/pairs");
  EXPECT_EQ(head["datasets"].size(), 1U);
  EXPECT_THAT(head["tags"].as<std::vector<std::string>>(),
              ElementsAre("lmpo", "preference-optimization", "dpo"));
  EXPECT_FALSE(head["license"]);
}

TEST_F(ModelCard, EvaluationHasItsOwnColumns) {
  state_["log_history"].push_back({{"step", 3}, {"eval_loss", 0.25}});
  EXPECT_THAT(card(), HasSubstr("| `loss` | 0.6 | 0.5 (step 2) | 0.25 | 0.25 (step 3) |"));
}

TEST_F(ModelCard, TakesTheLicenceOfTheBaseModelAlone) {
  const fs::path base = folder_ / "base";
  fs::create_directories(base);
  run_["options"]["model_name_or_path"] = given(base.string(), "flag", "-m");
  write_file_atomically(
      base / "README.md",
      "---\nlicense: other\nlicense_name: \"it's: mine\"\ntags: [x]\n---\n# Base\n");
  const YAML::Node head = matter(card());
  EXPECT_EQ(head["license"].Scalar(), "other");
  EXPECT_EQ(head["license_name"].Scalar(), "it's: mine");
  EXPECT_FALSE(head["base_model"]);
  for (const char* damaged : {"---\nlicense: [\n---\n", "---\n- license\n---\n", "no front matter",
                              "---\nlicense:\n  a: b\n---\n"}) {
    write_file_atomically(base / "README.md", damaged);
    EXPECT_FALSE(matter(card())["license"]) << damaged;
  }
}

TEST_F(ModelCard, TextFromOutsideStaysText) {
  const std::string evil =
      "a\n---\nlicense: mit\n# <script>alert(1)</script> `x` | [y](z) \x1b[31m \xff";
  run_["options"]["beta"] =
      given(evil.substr(0, evil.size() - 1), "file", evil.substr(0, 9).c_str());
  run_["options"]["model_name_or_path"] = given(evil.substr(0, evil.size() - 1), "flag", "-m");
  const std::string text = card();
  EXPECT_FALSE(matter(text)["license"]);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\n# <script>")), Not(HasSubstr("\x1b")),
                          HasSubstr("\\n---\\nlicense")));
  EXPECT_EQ(escape_markdown("*a* <b> [c](d) `e` f_g \\ | #\n\x1b"),
            "\\*a\\* \\<b\\> \\[c\\](d) \\`e\\` f\\_g \\\\ \\| \\#\\\\n\\\\x1b");
  EXPECT_EQ(code_span("a``b`"), "``` a``b` ```");
  EXPECT_EQ(code_span(""), "`  `");
  EXPECT_EQ(markdown_table({"h"}, {{"a|b"}}), "| h |\n| --- |\n| a\\|b |\n");
  FrontMatter odd;
  odd.license = "no: \"x\" \n- \x7f\u2028";
  odd.tags = {"null", "1e5", "- a", "#b"};
  const YAML::Node head = matter(front_matter_text(odd));
  EXPECT_EQ(head["license"].Scalar(), "no: \"x\" \\n- \\x7f\\u2028");
  EXPECT_THAT(head["tags"].as<std::vector<std::string>>(), ElementsAre("null", "1e5", "- a", "#b"));
}

TEST_F(ModelCard, KnowsNamesOfTheHub) {
  EXPECT_EQ(hub_name("/c/hub/models--HuggingFaceH4--zephyr-7b/snapshots/1", "models"),
            "HuggingFaceH4/zephyr-7b");
  EXPECT_EQ(hub_name("owner/name", "models"), "owner/name");
  for (const char* path : {"/abs/path", "name", "a/b/c", "./a", "../b", "owner/na me", "owner/",
                           "/c/models--only", "/c/datasets--a--b/x"}) {
    EXPECT_EQ(hub_name(path, "models"), "") << path;
  }
  fs::create_directories(folder_ / "sub");
  EXPECT_EQ(hub_name(folder_ / "sub", "models"), "");
}

TEST_F(ModelCard, AChangedCardIsKept) {
  write_card(folder_, "# One\n");
  const fs::path file = folder_ / "README.md";
  EXPECT_THAT(read_file(file), ::testing::StartsWith("# One\n"));
  write_card(folder_, "# Two\n");
  EXPECT_THAT(read_file(file), ::testing::StartsWith("# Two\n"));
  EXPECT_FALSE(fs::exists(folder_ / "README.lmpo.md"));

  const std::string own = "My own words\n" + read_file(file);
  write_file_atomically(file, own);
  write_card(folder_, "# Three\n");
  EXPECT_EQ(read_file(file), own);
  EXPECT_THAT(read_file(folder_ / "README.lmpo.md"), ::testing::StartsWith("# Three\n"));
}

TEST_F(ModelCard, RecordsThatAreNoneAreRefused) {
  write_file_atomically(folder_ / "trainer_state.json", "{}");
  write_file_atomically(folder_ / "lmpo_run.json", "{}");
  EXPECT_THROW(run_card(folder_), UserError);
  write_file_atomically(folder_ / "lmpo_run.json", "{\"options\": {\"objective\": 3}}");
  EXPECT_THROW(run_card(folder_), UserError);
}

TEST_F(ModelCard, CombinedModelsAreListed) {
  const std::string merged = combined_card(folder_, {{{"a/b", 0.25}, {"/c|d", 0.75}}, "1.2"});
  EXPECT_THAT(merged, AllOf(HasSubstr("| [a/b](https://huggingface.co/a/b) | 0.25 |"),
                            HasSubstr("| `/c\\|d` | 0.75 |"), HasSubstr("Made by lmpo 1.2.")));
  EXPECT_EQ(matter(merged)["base_model_relation"].Scalar(), "merge");
  const std::string one = combined_card(folder_, {{{"/c", 1}}, "1.2"});
  EXPECT_THAT(one, HasSubstr("The weights of `/c`, stored in another way."));
  EXPECT_THAT(random_card(folder_, 7, "1.2"), HasSubstr("seed 7"));
}

}  // namespace
}  // namespace lmpo::model_card_test

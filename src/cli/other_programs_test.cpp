// What people bring from other programs: recipes in their dialects, names of commands, and habits of
// the command line.
#include "base/testing/test_paths.h"
#include "cli/testing/program.h"

namespace lmpo::other_programs_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class OtherPrograms : public ProgramTest {
 protected:
  Result dry_run(const std::string& recipe, const Words& more = {}) const {
    Words words = {"train",     write("r.yaml", recipe).string(),
                   "--dry_run", "--no_time_estimate",
                   "-t",        "1",
                   "-m",        model().string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  // Ten pairs a file.
  std::string pairs_file(const std::string& name) const {
    std::string lines;
    for (int i = 0; i < 10; ++i) {
      lines += fmt::format(
          "{{\"prompt\": \"{} {}?\", \"chosen\": \"yes {}\", \"rejected\": "
          "\"no {}\"}}\n",
          name, i, i, i);
    }
    return write(name, lines).string();
  }
};

// What is wrong with each is that neither its model nor its data is there; no key is unknown.
TEST_F(OtherPrograms, NoKeyOfTheirRecipesIsUnknown) {
  write("dataset_info.json",
        R"({"pairs": {"file_name": "p.json"}, "more_pairs": {"file_name": "p.json"},
            "labelled": {"file_name": "p.json"}, "chats": {"file_name": "p.json"}})");
  for (const auto& entry :
       fs::directory_iterator(source_folder() / "src/recipe/testdata/dialects")) {
    std::string text = read_file(entry.path());
    if (const std::size_t at = text.find("DATA\n"); at != std::string::npos) {
      text.replace(at, 4, folder_.string());
    }
    SCOPED_TRACE(entry.path().filename().string());
    const Result result =
        run({"validate", write("r.yaml", text).string(), "--json", "--without_weights"});
    const json report = json::parse(result.out);
    for (const json& finding : report["findings"]) {
      EXPECT_THAT(finding["name"].get<std::string>(),
                  AllOf(Not(HasSubstr("option_unknown")), Not(HasSubstr("option_invalid")),
                        Not(HasSubstr("options_contradict"))))
          << finding.dump();
    }
  }
}

TEST_F(OtherPrograms, AMixtureOfTheHandbookIsRead) {
  const std::string a = pairs_file("a.jsonl");
  const std::string b = pairs_file("b.jsonl");
  const std::string recipe =
      "objective: lmpo\ndataset_mixture:\n  datasets:\n    - id: " + a +
      "\n      split: train[:6]\n      columns: [prompt, chosen, rejected]\n      weight: 1.0\n"
      "    - id: " +
      b + "\n      weight: 0.5\n  seed: 0\n  test_split_size: 3\nseed: 42\n";
  const Result result = dry_run(recipe);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("train data: 11 rows"),
                                HasSubstr("3 rows held out of the training data; 8 left")));
  const Result percent = dry_run("objective: lmpo\ndatasets: [{path: json, data_files: " + a +
                                 ", split: \"train[50%:]\"}]\n");
  ASSERT_EQ(percent.exit_code, 0) << percent.err;
  EXPECT_THAT(percent.err, HasSubstr("train data: 5 rows"));
  const Result most = dry_run("objective: lmpo\ndataset: " + a + "\nmax_samples: 4\n");
  ASSERT_EQ(most.exit_code, 0) << most.err;
  EXPECT_THAT(most.err, HasSubstr("train data: 4 rows"));
}

TEST_F(OtherPrograms, AListOfColumnsIsAllThatIsRead) {
  const std::string a = pairs_file("a.jsonl");
  const Result none = dry_run("dataset: [{path: " + a + ", columns: [a, b]}]\n");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("columns"));
  // Without the column of the prompt it is what both begin with: nothing.
  const Result without = dry_run("dataset: [{path: " + a + ", columns: [chosen, rejected]}]\n");
  EXPECT_THAT(without.err, HasSubstr("in 10 rows the prompt is empty"));
}

TEST_F(OtherPrograms, ADpoRecipeTrainsDpo) {
  const std::string a = pairs_file("a.jsonl");
  const Result result =
      dry_run("dataset: " + a + "\n# DPOTrainer arguments\nbeta: 0.01\npush_to_hub: true\n");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("objective: dpo is inferred from "));
  EXPECT_THAT(result.err, HasSubstr("a comment names the trainer: dpo"));
  const Result unnamed = dry_run("dataset: " + a + "\nbeta: 0.01\n");
  EXPECT_EQ(unnamed.exit_code, 2);
  EXPECT_THAT(unnamed.err, HasSubstr("objective: dpo"));
}

TEST_F(OtherPrograms, EvalStrategyNoOpensNoEvaluationData) {
  const std::string a = pairs_file("a.jsonl");
  const std::string recipe = "objective: lmpo\ndataset: " + a + "\neval_dataset: no/such.jsonl\n";
  EXPECT_EQ(dry_run(recipe + "eval_strategy: no\n").exit_code, 0);
  EXPECT_EQ(dry_run(recipe + "eval_strategy: epoch\n").exit_code, 2);
}

TEST_F(OtherPrograms, ADryRunSetsApartWhatTheUserSet) {
  const Result result = dry_run("dataset: " + pairs_file("a.jsonl") + "\nlearning_rate: 2e-6\n",
                                {"--objective", "simpo"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::size_t defaults = result.out.find("\nDefaults");
  ASSERT_NE(defaults, std::string::npos);
  EXPECT_LT(result.out.find("learning_rate"), defaults);
  EXPECT_LT(result.out.find("\n  objective"), defaults);
  EXPECT_GT(result.out.find("lr_scheduler_type              cosine"), defaults);
}

TEST_F(OtherPrograms, HelpShowsTheDefaultsOfTheChosenObjective) {
  const auto help = [](const Words& words) { return run(words).out; };
  EXPECT_THAT(help({"train", "--objective", "simpo", "--help", "all"}),
              AllOf(HasSubstr("[default: cosine]"), HasSubstr("[default: simpo]")));
  EXPECT_THAT(help({"train", "--help", "all", "--objective", "dpo"}),
              AllOf(HasSubstr("[default: linear]"), HasSubstr("[default: 0.1]")));
}

TEST_F(OtherPrograms, ModelsAreNamedTheSameWayEverywhere) {
  const std::string m = model().string();
  for (const Words& words :
       std::vector<Words>{{"plan", m},
                          {"plan", "-m", m},
                          {"inspect", m},
                          {"inspect", "-m", m},
                          {"tokenize", m},
                          {"chat", m, "--max_new_tokens", "2"},
                          {"chat", "-m", m, "--max_new_tokens", "2"},
                          {"generate", m, "--prompt", "a", "--max_new_tokens", "2"},
                          {"score", m, "--data", world("preferences.jsonl").string()},

                          {"export", m, "--output", path("b").string()},
                          {"merge", "-m", m, "-m", m, "--output", path("c").string()}}) {
    const Result result = run(words, {.input = "\"sun\"\n"});
    EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(words) << result.err;
  }
  // By its ending it is a GGUF file, which cannot name the toy's way to cut words.
  const Result gguf = run({"export", "-m", m, "-o", path("a.gguf").string()});
  EXPECT_THAT(gguf.err, HasSubstr("a GGUF file can name"));
  EXPECT_TRUE(fs::is_directory(path("b")));
  const Result both = run({"export", m, "--type", "f16", "--output", path("d").string()});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("--dtype"));
}

TEST_F(OtherPrograms, NamesOfCommandsLeadToWhatIsMeant) {
  const std::vector<std::pair<const char*, const char*>> names = {
      {"dpo", "lmpo train --objective dpo"},
      {"simpo", "lmpo train --objective simpo"},
      {"finetune", "lmpo sft"},
      {"evaluate", "lmpo eval"},
      {"server", "lmpo serve"},
      {"convert", "lmpo export"},
      {"quantize", "--type q8_0"},
      {"recipe.yaml", "lmpo train recipe.yaml"}};
  for (const auto& [name, meaning] : names) {
    const Result result = run({name});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr(meaning), Not(HasSubstr("demo")))) << name;
  }
}

}  // namespace
}  // namespace lmpo::other_programs_test

#include "recipe/run_data.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "recipe/option_set.h"

namespace lmpo::run_data_test {
namespace {

using ::testing::HasSubstr;

// The recipe that a YAML text and flags give.
TrainRecipe read(std::string_view yaml, const std::vector<std::string>& flags = {}) {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  EXPECT_TRUE(options.read_arguments(flags));
  options.read_yaml(std::string(yaml) + "\nmodel: m\noutput_dir: o\n", "r.yaml");
  options.resolve();
  return recipe;
}

std::string error_of(std::string_view yaml, const std::vector<std::string>& flags = {}) {
  try {
    read(yaml, flags);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// "PATH:SPLIT*WEIGHT" of each.
std::vector<std::string> shown(const std::vector<DataSource>& sources) {
  std::vector<std::string> all;
  for (const DataSource& source : sources) {
    all.push_back(fmt::format("{}:{}*{}", source.path.string(), source.split, source.weight));
  }
  return all;
}

using Shown = std::vector<std::string>;

TEST(RunDataTest, AMixtureInTheOldDialect) {
  const RunData data =
      run_data(read("dataset_mixer: {a/x: 0.5, b/y: 1.0}\n"
                    "dataset_splits: [train_sft, train_gen, test_sft]\n"));
  EXPECT_EQ(shown(data.training), (Shown{"a/x:train_sft*0.5", "a/x:train_gen*0.5",
                                         "b/y:train_sft*1", "b/y:train_gen*1"}));
  EXPECT_EQ(shown(data.evaluation), (Shown{"a/x:test_sft*1", "b/y:test_sft*1"}));
  EXPECT_THAT(error_of("dataset_mixer: {a/x: 1}\ndataset_splits: [test]\n"),
              HasSubstr("dataset_splits: a split with 'train' in its name was expected"));
}

TEST(RunDataTest, AMixtureInTheNewDialect) {
  const TrainRecipe recipe = read(
      "dataset_mixture:\n"
      "  datasets:\n"
      "    - {id: a/x, config: small, split: train, weight: 0.25, columns: [chosen, rejected]}\n"
      "    - path: folder\n"
      "      data_dir: inner\n"
      "      data_files: ['*.jsonl', b.json]\n"
      "      columns: {question: prompt}\n"
      "    - plain.jsonl\n"
      "  test_split_size: 0.1\n");
  EXPECT_EQ(recipe.test_split_size, 0.1);
  ASSERT_EQ(recipe.dataset.size(), 3u);
  EXPECT_EQ(recipe.dataset[0].config, "small");
  EXPECT_TRUE(recipe.dataset[0].only_columns);
  EXPECT_EQ(recipe.dataset[1].path, "folder/inner");
  EXPECT_EQ(recipe.dataset[1].data_files, (Shown{"*.jsonl", "b.json"}));
  EXPECT_EQ(recipe.dataset[1].columns.at("question"), "prompt");
  EXPECT_EQ(recipe.dataset[2].path, "plain.jsonl");
  EXPECT_EQ(shown(run_data(recipe).training),
            (Shown{"a/x:train*0.25", "folder/inner:*1", "plain.jsonl:*1"}));
}

TEST(RunDataTest, SourcesOnTheCommandLine) {
  const TrainRecipe recipe =
      read("", {"--data", "a.jsonl,{path: x/y, split: s, weight: 2},b.jsonl"});
  EXPECT_EQ(shown(recipe.dataset), (Shown{"a.jsonl:*1", "x/y:s*2", "b.jsonl:*1"}));
}

TEST(RunDataTest, SplitsOfFoldersAlone) {
  const std::string folder = ::testing::TempDir();
  const std::string yaml = "dataset: ['" + folder + "', 'a*.jsonl', {path: x/y, split: mine}]\n";
  EXPECT_EQ(shown(run_data(read(yaml)).evaluation), Shown());
  const RunData data = run_data(read(yaml + "dataset_train_split: one\ndataset_test_split: two\n"));
  EXPECT_EQ(shown(data.training), (Shown{folder + ":one*1", "a*.jsonl:*1", "x/y:mine*1"}));
  EXPECT_EQ(shown(data.evaluation), (Shown{folder + ":two*1"}));
  const RunData asked = run_data(read(yaml + "eval_strategy: epoch\n"));
  EXPECT_EQ(shown(asked.evaluation), (Shown{folder + ":*1"}));
}

TEST(RunDataTest, ASourceThatIsNotUnderstoodSaysWhere) {
  EXPECT_THAT(error_of("dataset: [{path: a, wieght: 1}]"),
              HasSubstr("r.yaml:1: dataset: 'wieght' is no key of a data source (did you mean "
                        "'weight'?)"));
  EXPECT_THAT(error_of("dataset: [{split: a}]"), HasSubstr("a data source needs 'path'"));
  EXPECT_THAT(error_of("dataset: [{path: a, weight: -1}]"), HasSubstr("'weight' of a data source"));
  EXPECT_THAT(error_of("dataset: [{path: a, columns: b}]"), HasSubstr("a mapping"));
  EXPECT_THAT(error_of("dataset: [{path: \"a\\0b\"}]"), HasSubstr("without a zero byte"));
  EXPECT_THAT(error_of("dataset: [{path: [a]}]"), HasSubstr("'path' of a data source: a plain"));
  EXPECT_THAT(error_of("", {"--data", "{path: a"}), HasSubstr("is not a mapping"));
  EXPECT_THAT(error_of("dataset: a\neval_dataset: b\ntest_split_size: 3\n"),
              HasSubstr("test_split_size: there is evaluation data already"));
}

}  // namespace
}  // namespace lmpo::run_data_test

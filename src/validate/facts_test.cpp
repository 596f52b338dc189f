// Facts of data whose properties are known, and of disk space against what a run really writes.
#include "validate/facts.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/testing/test_paths.h"
#include "io/safetensors.h"
#include "train/checkpoints.h"
#include "train/testing/small_run.h"
#include "validate/output_folder.h"

namespace lmpo::facts_test {
namespace {

using ::testing::HasSubstr;

Tree pair_of(const std::vector<std::int32_t>& prompt, const std::vector<std::int32_t>& chosen,
             const std::vector<std::int32_t>& rejected) {
  Tree tree;
  for (const auto& response : {chosen, rejected}) {
    std::vector<std::int32_t> tokens = prompt;
    tokens.insert(tokens.end(), response.begin(), response.end());
    tree.sequences.push_back({tokens, static_cast<std::int32_t>(prompt.size())});
  }
  return tree;
}

TEST(DataFacts, CountsDuplicatesAndContradictions) {
  Dataset dataset;
  dataset.rows = 6;
  dataset.trees = {pair_of({1, 2}, {3}, {4, 5}),  //
                   pair_of({1, 2}, {3}, {4, 5}),  // again
                   pair_of({1, 2}, {4, 5}, {3}),  // the other way round
                   pair_of({1}, {2, 3}, {4, 5}),  // the same tokens, another boundary
                   pair_of({1, 2}, {3}, {4})};
  const DataFacts facts = data_facts(dataset, {}, nullptr);
  EXPECT_EQ(facts.kept, 5);
  EXPECT_EQ(facts.examples, 5);
  EXPECT_EQ(facts.duplicates, 1);
  EXPECT_EQ(facts.contradictions, 1);
  EXPECT_EQ(facts.longest, 4);
  DataOptions labelled;
  labelled.kind = RowKind::labelled;
  EXPECT_EQ(data_facts(dataset, labelled, nullptr).examples, 10);
}

DataOptions lengths(std::int64_t max_length, std::optional<std::int64_t> max_prompt_length = {}) {
  DataOptions options;
  options.max_length = max_length;
  options.max_prompt_length = max_prompt_length;
  return options;
}

// What may have lost its end says nothing of the template.
TEST(DataFacts, EndsOfRowsThatMayBeCutAreNotLookedAt) {
  const Tokenizer tokenizer = Tokenizer::load(source_folder() / "src/data/testdata/zephyr");
  const TokenId stop = tokenizer.eos_id().value();
  Dataset dataset;
  dataset.trees = {pair_of({5}, {6, stop}, {7, stop}), pair_of({5, 6}, {6, 7}, {7, stop})};
  const auto faults = [&](const DataOptions& options) {
    TurnEnds ends(tokenizer, {stop});
    return data_facts(dataset, options, &ends).turn_ends;
  };
  ASSERT_EQ(faults({}).size(), 1u);
  EXPECT_EQ(faults({})[0].name, "turn_without_end");
  EXPECT_THAT(faults({})[0].reason, HasSubstr("1 of 4 responses"));
  EXPECT_EQ(faults(lengths(4)).size(), 0u);
  EXPECT_EQ(faults(lengths(5, 3)).size(), 0u);
  EXPECT_EQ(faults(lengths(5, 2)).size(), 1u);
}

class RunFactsTest : public lmpo::testing::SmallRun {
 protected:
  DiskFacts disk(const TrainRecipe& recipe) const {
    const RunLength length(recipe, 80);
    return disk_facts(recipe, read_model_config(recipe.model_name_or_path), length);
  }
  static std::uintmax_t tensor_bytes(const fs::path& file) {
    const SafetensorsFile tensors(file);
    std::uintmax_t total = 0;
    for (const StoredTensor& tensor : tensors.tensors()) {
      total += tensor.end - tensor.begin;
    }
    return total;
  }
};

TEST_F(RunFactsTest, DiskSpaceIsWhatARunWrites) {
  for (const char* dtype : {"float32", "bfloat16", "float16"}) {
    for (const char* optim : {"adamw_torch", "paged_adamw_8bit"}) {
      TrainInputs given = inputs(std::string(dtype) + optim);
      TrainRecipe& recipe = given.recipe;
      recipe.dtype = dtype;
      recipe.optim = optim;
      recipe.max_steps = 5;
      recipe.save_strategy = TrainRecipe::Strategy::steps;
      recipe.save_steps = 2;
      const fs::path out = recipe.output_dir;
      const DiskFacts facts = disk(recipe);
      EXPECT_EQ(facts.written, 3);
      EXPECT_EQ(facts.most, 3);
      EXPECT_EQ(facts.needed(), 3 * facts.checkpoint + facts.model + facts.paged);
      EXPECT_EQ(facts.paged > 0, recipe.paged_moments());
      run_training(std::move(given));
      EXPECT_EQ(list_checkpoints(out).size(), 3u);
      EXPECT_EQ(facts.model, tensor_bytes(out / "model.safetensors"));
      EXPECT_EQ(facts.checkpoint, tensor_bytes(out / "checkpoint-4/model.safetensors") +
                                      tensor_bytes(out / "checkpoint-4/optimizer.safetensors"));
    }
  }
}

TEST_F(RunFactsTest, CheckpointsThatAreDeletedAreNotCounted) {
  TrainRecipe recipe = inputs("out").recipe;
  EXPECT_EQ(disk(recipe).written, 0);
  recipe.max_steps = 10;
  recipe.save_strategy = TrainRecipe::Strategy::steps;
  recipe.save_steps = 1000000;
  EXPECT_EQ(disk(recipe).written, 1);
  recipe.save_steps = 1;
  recipe.save_total_limit = 2;
  const DiskFacts facts = disk(recipe);
  EXPECT_EQ(facts.written, 10);
  EXPECT_EQ(facts.most, 3);
  EXPECT_EQ(facts.kept, 2);
  EXPECT_EQ(facts.needed(), 3 * facts.checkpoint);
}

TEST_F(RunFactsTest, AResumedRunHasSomeOfItsCheckpoints) {
  TrainInputs given = inputs("out");
  TrainRecipe recipe = given.recipe;
  recipe.max_steps = 6;
  recipe.save_strategy = TrainRecipe::Strategy::steps;
  recipe.save_steps = 2;
  given.recipe = recipe;
  given.recipe.max_steps = 4;
  run_training(std::move(given));
  EXPECT_EQ(disk(recipe).written, 3);
  recipe.resume_from_checkpoint = "true";
  EXPECT_EQ(disk(recipe).written, 1);
  recipe.save_total_limit = 2;
  EXPECT_EQ(disk(recipe).most, 1);
  EXPECT_EQ(disk(recipe).kept, 0);
  recipe.resume_from_checkpoint = "";
  recipe.overwrite_output_dir = true;
  EXPECT_GE(disk(recipe).freed, 2 * disk(recipe).checkpoint);
}

TEST_F(RunFactsTest, TheOutputFolderIsLookedAtAndLeftAlone) {
  TrainRecipe recipe = inputs("new/and/newer").recipe;
  EXPECT_NO_THROW(require_output_folder(recipe));
  EXPECT_FALSE(fs::exists(folder_ / "new"));
  EXPECT_EQ(existing_parent(recipe.output_dir), fs::absolute(folder_));
  write_file_atomically(folder_ / "file", "");
  recipe.output_dir = folder_ / "file" / "below";
  EXPECT_THROW(require_output_folder(recipe), UserError);
  recipe.output_dir = folder_;
  EXPECT_THROW(require_output_folder(recipe), UserError);
  recipe.overwrite_output_dir = true;
  EXPECT_NO_THROW(require_output_folder(recipe));
}

}  // namespace
}  // namespace lmpo::facts_test

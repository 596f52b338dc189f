// Recipes in the dialects of other programs (testdata/dialects, our own words): every key is obeyed,
// mapped or answered, and the objective is the one the recipe is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "recipe/run_data.h"
#include "recipe/testing/recipe_reading.h"

namespace lmpo::dialects_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Dialects : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    write_file_atomically(folder_ / "dataset_info.json", R"({
      "pairs": {"file_name": "pairs.json", "ranking": true, "num_samples": 500,
                "columns": {"prompt": "question", "chosen": "good", "rejected": "bad"}},
      "more_pairs": {"hf_hub_url": "owner/more", "subset": "en", "split": "train",
                     "ranking": true, "formatting": "sharegpt"},
      "labelled": {"file_name": "labelled.json", "formatting": "sharegpt",
                   "columns": {"messages": "messages", "kto_tag": "label"},
                   "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user"}},
      "chats": {"file_name": "chats.json"},
      "pictures": {"file_name": "p.json", "columns": {"images": "images"}},
      "strange": {"file_name": "s.json", "tags": {"user_tag": "Q"}}})");
  }

  std::string text_of(const std::string& name) const {
    std::string text =
        read_file(source_folder() / "src/recipe/testdata/dialects" / (name + ".yaml"));
    if (const std::size_t at = text.find("DATA\n"); at != std::string::npos) {
      text.replace(at, 4, folder_.string());
    }
    return text;
  }
  RecipeReading read(const std::string& name) const { return RecipeReading({}, text_of(name)); }
};

TEST_F(Dialects, EveryRecipeIsReadAndTrainsItsOwnMethod) {
  const std::map<std::string, std::string> objectives = {{"handbook-dpo", "dpo"},
                                                         {"handbook-orpo", "orpo"},
                                                         {"handbook-sft", "sft"},
                                                         {"simpo-repository", "simpo"},
                                                         {"trl-dpo", "dpo"},
                                                         {"trl-cpo-simpo", "simpo"},
                                                         {"trl-kto", "kto"},
                                                         {"llama-factory-dpo", "dpo"},
                                                         {"llama-factory-simpo", "simpo"},
                                                         {"llama-factory-orpo", "orpo"},
                                                         {"llama-factory-kto", "kto"},
                                                         {"llama-factory-sft", "sft"},
                                                         {"axolotl-dpo", "dpo"},
                                                         {"axolotl-simpo", "simpo"},
                                                         {"axolotl-orpo", "orpo"},
                                                         {"axolotl-kto", "kto"},
                                                         {"axolotl-sft", "sft"}};
  std::size_t files = 0;
  for (const auto& entry :
       fs::directory_iterator(source_folder() / "src/recipe/testdata/dialects")) {
    const std::string name = entry.path().stem().string();
    ASSERT_TRUE(objectives.contains(name)) << name;
    SCOPED_TRACE(name);
    ASSERT_NO_THROW({ EXPECT_EQ(read(name).recipe.objective, objectives.at(name)); });
    ++files;
  }
  EXPECT_EQ(files, objectives.size());
}

TEST_F(Dialects, OfTheAlignmentHandbook) {
  const TrainRecipe r = read("handbook-dpo").recipe;
  EXPECT_EQ(r.objective_options.beta, 0.01);
  EXPECT_EQ(r.seed, 42);
  EXPECT_EQ(r.test_split_seed, 0);  // the mixture's own
  EXPECT_EQ(r.test_split_size, 2000);
  ASSERT_EQ(r.dataset.size(), 2u);
  EXPECT_EQ(r.dataset[0].split, "train_prefs[:80%]");
  EXPECT_TRUE(r.dataset[0].only_columns);
  EXPECT_EQ(r.dataset[1].weight, 0.5);
}

TEST_F(Dialects, OfTrl) {
  const RecipeReading dpo = read("trl-dpo");
  ASSERT_EQ(dpo.recipe.dataset.size(), 1u);
  EXPECT_EQ(dpo.recipe.dataset[0].path, "pairs.jsonl");
  EXPECT_EQ(dpo.recipe.dataset[0].split, "train[:90%]");
  EXPECT_FALSE(dpo.recipe.evaluates);
  const RecipeReading cpo = read("trl-cpo-simpo");
  EXPECT_EQ(cpo.recipe.objective_options.sft_weight, 0.5);
  EXPECT_EQ(cpo.recipe.objective_options.gamma, 0.5);
  EXPECT_EQ(read("trl-kto").recipe.objective_options.undesirable_weight, 1.33);
}

TEST_F(Dialects, OfLlamaFactory) {
  const RecipeReading run = read("llama-factory-dpo");
  const TrainRecipe& r = run.recipe;
  EXPECT_EQ(r.objective_options.beta, 0.1);
  EXPECT_EQ(r.objective_options.sft_weight, 0.2);
  EXPECT_EQ(r.data.max_length, 2048);
  EXPECT_EQ(r.test_split_size, 0.1);
  ASSERT_EQ(r.dataset.size(), 2u);
  EXPECT_EQ(r.dataset[0].path, folder_ / "pairs.json");
  EXPECT_EQ(r.dataset[0].most_rows, 500);  // num_samples is below max_samples
  EXPECT_EQ(r.dataset[0].columns.at("question"), "instruction");
  EXPECT_EQ(r.dataset[0].columns.at("good"), "chosen");
  EXPECT_EQ(r.dataset[1].path, "owner/more");
  EXPECT_EQ(r.dataset[1].config, "en");
  EXPECT_EQ(r.dataset[1].most_rows, 1000);
  EXPECT_THAT(run.remarks(),
              AllOf(HasSubstr("'template' is not used: the model's own chat template"),
                    HasSubstr("this is a recipe for LLaMA-Factory")));
  EXPECT_EQ(read("llama-factory-kto").recipe.dataset[0].columns.at("label"), "kto_tag");
  EXPECT_EQ(read("llama-factory-simpo").recipe.dtype, "bfloat16");
}

TEST_F(Dialects, NamesOfDatasetsMustBeInTheList) {
  const std::string dir = folder_.string();
  const auto error = [&](const std::string& name) {
    return error_of({"-m", "m", "--data", name, "--output_dir", "o", "--dataset_dir", dir});
  };
  EXPECT_THAT(error("pears"), HasSubstr("there is no dataset 'pears' (did you mean 'pairs'?)"));
  EXPECT_THAT(error("pictures"), HasSubstr("it has images"));
  EXPECT_THAT(error("strange"), HasSubstr("user_tag 'Q' is not known"));
  EXPECT_EQ(error(dir + "/x.json"), "nothing was thrown");  // a path, not a name
  EXPECT_THAT(error_of({"-m", "m", "--data", "pairs", "--output_dir", "o", "--dataset_dir", "no"}),
              HasSubstr("there is no no/dataset_info.json"));
}

TEST_F(Dialects, OfAxolotl) {
  const TrainRecipe r = read("axolotl-dpo").recipe;
  EXPECT_EQ(r.model_name_or_path, "owner/base");
  EXPECT_EQ(r.data.max_length, 2048);
  EXPECT_EQ(r.per_device_train_batch_size, 2);
  EXPECT_EQ(r.num_train_epochs, 4);
  EXPECT_EQ(r.optim, "adamw_8bit");
  EXPECT_EQ(r.lr_scheduler_type, TrainRecipe::Scheduler::cosine);
  EXPECT_EQ(r.dtype, "bfloat16");
  EXPECT_EQ(r.chat_template_path, "");
  EXPECT_EQ(r.dataset[0].columns.at("conversation"), "messages");
  EXPECT_EQ(r.dataset[0].columns.at("preferred"), "chosen");
  EXPECT_EQ(r.eval_strategy, TrainRecipe::Strategy::steps);
  EXPECT_EQ(r.eval_steps, 1.0 / 16);
  EXPECT_EQ(r.save_steps, 0.25);
  const TrainRecipe sft = read("axolotl-sft").recipe;
  EXPECT_LT(sft.save_steps, 1);  // one checkpoint in the one epoch, not one a step
  EXPECT_EQ(read("axolotl-simpo").recipe.dataset[0].split, "train");
  EXPECT_EQ(read("axolotl-orpo").recipe.objective_options.beta, 0.1);
  EXPECT_EQ(read("axolotl-kto").recipe.objective_options.desirable_weight, 0.2);
  EXPECT_THAT(error_of(kNeeded, "rl: grpo\n"), HasSubstr("not 'grpo'"));
  EXPECT_THAT(error_of({"-m", "m", "--data", "{path: a, type: pygmalion}", "--output_dir", "o"}),
              HasSubstr("type 'pygmalion' of a data source is not read"));
}

TEST_F(Dialects, TheCommandLineSaysTheSame) {
  const RecipeReading run({"--base_model",
                           "m",
                           "--rl",
                           "simpo",
                           "--rl_beta=2",
                           "--data",
                           "a.json",
                           "--sequence-len",
                           "512",
                           "--micro_batch_size",
                           "2",
                           "--optimizer",
                           "adamw_torch",
                           "--output_dir",
                           "o",
                           "--wandb_project",
                           "mine",
                           "--no_remove_unused_columns",
                           "--ddp_timeout",
                           "18000"});
  EXPECT_EQ(run.recipe.objective, "simpo");
  EXPECT_EQ(run.recipe.data.max_length, 512);
  EXPECT_EQ(run.recipe.model_name_or_path, "m");
  EXPECT_THAT(run.remarks(), AllOf(HasSubstr("'wandb_project' is not used"),
                                   HasSubstr("'remove_unused_columns' is not used")));
  EXPECT_THAT(error_of(needed_and({"--use_peft"})), HasSubstr("--use_peft: use_peft: 'true'"));
}

TEST_F(Dialects, EverythingThatNeedsAdaptersIsRefusedAtOnce) {
  const std::string error = error_of(kNeeded,
                                     "objective: dpo\nadapter: qlora\nlora_r: 32\n"
                                     "load_in_4bit: true\nlora_target_linear: true\n");
  EXPECT_THAT(error, AllOf(HasSubstr("r.yaml:2: adapter: 'qlora' is not supported"),
                           HasSubstr("lora_r (r.yaml:3)"), HasSubstr("load_in_4bit (r.yaml:4)"),
                           HasSubstr("lora_target_linear (r.yaml:5)"),
                           HasSubstr("paged_adamw_8bit"), Not(HasSubstr("\n"))));
  EXPECT_EQ(error_of(kNeeded, "objective: dpo\nuse_peft: false\nlora_r: 16\nlora_alpha: 16\n"),
            "nothing was thrown");
  EXPECT_THAT(error_of(kNeeded, "stage: dpo\nfinetuning_type: lora\nlora_rank: 8\n"),
              HasSubstr("finetuning_type: 'lora' is not supported, nor are lora_rank"));
}

TEST_F(Dialects, AllMistakesAreToldAtOnce) {
  const std::string error = error_of(kNeeded,
                                     "objective: dpo\nbeta: x\nmax_lenght: 5\nuse_dora: true\n"
                                     "lr_scheduler_type: wild\nsync_ref_model: true\n");
  EXPECT_THAT(
      error, AllOf(HasSubstr("5 mistakes in the options:\n"), HasSubstr("r.yaml:2: beta"),
                   HasSubstr("r.yaml:3: unknown key 'max_lenght'"), HasSubstr("r.yaml:4: use_dora"),
                   HasSubstr("r.yaml:5: lr_scheduler"), HasSubstr("r.yaml:6: sync_ref_model")));
}

TEST_F(Dialects, FilesThatAreNoRecipesAreRecognised) {
  EXPECT_THAT(error_of({}, "compute_environment: LOCAL_MACHINE\nnum_processes: 8\n"),
              HasSubstr("r.yaml is a configuration of accelerate"));
  EXPECT_THAT(error_of(kNeeded, "beta: 2.0\n---\nbeta: 3.0\n"),
              HasSubstr("r.yaml:3: a second document begins here"));
  // YAML's library never ends on such a text when it is asked for all documents.
  EXPECT_EQ(error_of(kNeeded, ","), "nothing was thrown");
  EXPECT_EQ(error_of(kNeeded, "---\nbeta: 2.0\n---\n"), "nothing was thrown");
}

TEST_F(Dialects, SourcesOfLocalFiles) {
  const auto source = [](const std::string& text) {
    return OptionType<DataSource>::parse(text, {}).value();
  };
  EXPECT_EQ(source("{path: json, data_files: a.jsonl}").path, "a.jsonl");
  const DataSource two = source("{path: json, data_files: [a.jsonl, b.jsonl]}");
  EXPECT_EQ(two.path, ".");
  EXPECT_THAT(two.data_files, ElementsAre("a.jsonl", "b.jsonl"));
  EXPECT_THROW(source("{path: csv, data_files: a.csv}"), UserError);
  EXPECT_THROW(source("{path: a, shards: 4}"), UserError);
  const DataSource own = source(
      "{path: a, type: {field_prompt: q, field_chosen: c, field_rejected: rejected, "
      "prompt_format: \"{prompt}\"}}");
  EXPECT_EQ(own.columns.at("q"), "prompt");
  EXPECT_EQ(own.columns.at("c"), "chosen");
  EXPECT_THROW(source("{path: a, type: {prompt_format: \"Q: {prompt}\"}}"), UserError);
}

}  // namespace
}  // namespace lmpo::dialects_test

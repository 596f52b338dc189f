#include "recipe/objective_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::objective_choice_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// The objective, or the message that refuses to choose one.
std::string chosen(std::string_view yaml, const std::vector<std::string>& arguments = {},
                   const char* command = "lmpo") {
  TrainRecipe recipe;
  recipe.objective = command;
  OptionSet options("lmpo train", "Trains a model.");
  add_train_options(options, recipe);
  std::vector<std::string> all = {"-m", "model", "--data", "a.json", "--output_dir", "out"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  EXPECT_TRUE(options.read_arguments(all));
  options.read_yaml(yaml, "r.yaml");
  try {
    options.resolve();
  } catch (const UserError& error) {
    return error.what();
  }
  return recipe.objective;
}

TEST(ObjectiveChoice, WithoutEvidenceItIsTheDefault) {
  EXPECT_EQ(chosen(""), "lmpo");
  EXPECT_EQ(chosen("beta: 2.5\nlearning_rate: 1e-6\n"), "lmpo");
  EXPECT_EQ(chosen("lambda: 0.2\nhome_advantage: 1\n"), "lmpo");
  EXPECT_EQ(chosen("gamma_beta_ratio: 0.5\n"), "lmpo");  // lmpo has it too
  EXPECT_EQ(chosen("", {"--beta", "10"}), "lmpo");
}

TEST(ObjectiveChoice, TheSettingsSayWhatItWasInferredFrom) {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "Trains a model.");
  add_train_options(options, recipe);
  EXPECT_TRUE(options.read_arguments({"-m", "model", "--data", "a.json", "--output_dir", "out"}));
  options.read_yaml("stage: kto\n", "r.yaml");
  options.resolve();
  EXPECT_THAT(options.settings(),
              ::testing::ContainsRegex("\nInferred\n  objective +kto +inferred from r.yaml:1 "
                                       "\\(stage: kto\\)\n\nDefaults\n"));
}

TEST(ObjectiveChoice, KeysThatName) {
  EXPECT_EQ(chosen("rl: ipo\n"), "ipo");
  EXPECT_EQ(chosen("pref_loss: orpo\nstage: dpo\n"), "orpo");
  EXPECT_EQ(chosen("stage: dpo\n"), "dpo");
  EXPECT_EQ(chosen("stage: kto\n"), "kto");
  EXPECT_EQ(chosen("loss_type: [simpo]\n"), "simpo");
  EXPECT_THAT(chosen("stage: ppo\n"), HasSubstr("supported stages are"));
  EXPECT_THAT(chosen("stage: sft\nobjective: dpo\n"), HasSubstr("stage: sft contradicts"));
  EXPECT_EQ(chosen("stage: sft\n", {"--objective", "sft"}), "sft");
}

// TRL's loss_type sigmoid is DPO in its DPO trainer, CPO and SimPO elsewhere.
TEST(ObjectiveChoice, TheLossTypeIsReadWithWhatStandsBesideIt) {
  EXPECT_EQ(chosen("loss_type: sigmoid\n"), "dpo");
  EXPECT_EQ(chosen("loss_type: [ipo]\n"), "dpo");
  EXPECT_THAT(chosen("loss_type: sigmoid\ncpo_alpha: 1.0\n"),
              HasSubstr("which objective is meant?"));
  EXPECT_EQ(chosen("loss_type: sigmoid\ngamma_beta_ratio: 0.5\n"), "simpo");
  EXPECT_EQ(chosen("cpo_alpha: 0.1\nsimpo_gamma: 0.5\n"), "simpo");
  EXPECT_THAT(chosen("loss_type: apo_zero\n"), HasSubstr("one of sigmoid, hinge, ipo"));
}

TEST(ObjectiveChoice, OldNamesAndOptionsOfOneMethod) {
  EXPECT_EQ(chosen("rpo_alpha: 1.0\nbeta: 0.1\n"), "dpo");
  EXPECT_EQ(chosen("orpo_alpha: 0.1\n"), "orpo");
  EXPECT_EQ(chosen("desirable_weight: 1.0\n"), "kto");
  EXPECT_EQ(chosen("", {"--simpo_gamma", "0.5"}), "simpo");
  EXPECT_THAT(chosen("label_smoothing: 0.1\n"),
              AllOf(HasSubstr("which objective is meant?"), HasSubstr("cpo, dpo, simpo")));
  EXPECT_THAT(chosen("", {"--desirable_weight", "2"}), HasSubstr("add --objective kto"));
  EXPECT_THAT(chosen("orpo_alpha: 0.1\nsimpo_gamma: 0.5\n"), HasSubstr("contradict one another"));
}

TEST(ObjectiveChoice, CommentsAndNamesOfOtherProgramsRecipes) {
  EXPECT_EQ(chosen("# DPOTrainer arguments\nbeta: 0.01\n"), "dpo");
  EXPECT_EQ(chosen("# SFT trainer config\nlearning_rate: 2e-5\n"), "sft");
  EXPECT_EQ(chosen("gamma_beta_ratio: 0.5\nhub_model_id: simpo-exps\n"), "simpo");
  EXPECT_EQ(chosen("gamma_beta_ratio: 0.5\nrun_name: llama-lmpo\n"), "lmpo");
  EXPECT_THAT(chosen("push_to_hub: true\n"), HasSubstr("does not name its objective"));
  EXPECT_EQ(chosen("push_to_hub: true\n", {"--objective", "lmpo"}), "lmpo");
  EXPECT_EQ(chosen("push_to_hub: true\nrun_name: zephyr-7b-sft-dpo\n"), "dpo");
}

TEST(ObjectiveChoice, ABetaOfAnotherMethodIsNoLmpo) {
  EXPECT_THAT(chosen("beta: 0.01\n"),
              AllOf(HasSubstr("r.yaml:1: beta 0.01 is far from the published values of lmpo"),
                    HasSubstr("objective: dpo")));
  EXPECT_EQ(chosen("objective: lmpo\nbeta: 0.01\n"), "lmpo");
}

TEST(ObjectiveChoice, LmpoSftTrainsNothingElse) {
  EXPECT_EQ(chosen("learning_rate: 1e-5\n", {}, "sft"), "sft");
  EXPECT_EQ(chosen("stage: sft\n", {}, "sft"), "sft");
  EXPECT_THAT(chosen("# DPOTrainer arguments\nbeta: 0.01\n", {}, "sft"),
              HasSubstr("Use lmpo train"));
  EXPECT_THAT(chosen("stage: dpo\n", {}, "sft"), HasSubstr("contradicts this command"));
}

}  // namespace
}  // namespace lmpo::objective_choice_test

#include "recipe/train_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/testing/test_paths.h"
#include "objective/registry.h"
#include "recipe/pages/help_page.h"
#include "recipe/pages/markdown.h"
#include "recipe/run_data.h"
#include "recipe/testing/recipe_reading.h"

namespace lmpo::train_recipe_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(TrainRecipe, DefaultsAreThoseOfTheEcosystem) {
  const RecipeReading run(kNeeded);
  const TrainRecipe& r = run.recipe;
  EXPECT_EQ(r.model_name_or_path, "model");
  ASSERT_EQ(r.dataset.size(), 1u);
  EXPECT_EQ(r.dataset[0].path, "a.json");
  EXPECT_EQ(r.objective, "lmpo");
  EXPECT_EQ(r.learning_rate, 1e-6);
  EXPECT_EQ(r.data.max_length, 1024);
  EXPECT_EQ(r.data.max_prompt_length, std::nullopt);
  EXPECT_EQ(r.data.boundary, Boundary::trl);
  EXPECT_EQ(r.data.kind, RowKind::preference);
  EXPECT_EQ(r.adam_beta2, 0.999);
  EXPECT_EQ(r.save_steps, 500);
  EXPECT_EQ(r.seed, 42);
  EXPECT_EQ(r.max_shard_size.count, 5'000'000'000u);
  EXPECT_EQ(r.train_batch_size(), 8);
}

// Those of every published run of the two.
TEST(TrainRecipe, LmpoAndSimpoTrainOneEpochWithACosine) {
  for (const char* objective : {"lmpo", "simpo"}) {
    const TrainRecipe r = RecipeReading(needed_and({"--objective", objective})).recipe;
    EXPECT_EQ(r.num_train_epochs, 1);
    EXPECT_EQ(r.lr_scheduler_type, TrainRecipe::Scheduler::cosine);
    EXPECT_EQ(r.warmup_ratio, 0.1);
  }
  const TrainRecipe dpo = RecipeReading(needed_and({"--objective", "dpo"})).recipe;
  EXPECT_EQ(dpo.num_train_epochs, 3);
  EXPECT_EQ(dpo.lr_scheduler_type, TrainRecipe::Scheduler::linear);
  EXPECT_EQ(dpo.warmup_ratio, 0);
  const TrainRecipe given = RecipeReading(needed_and({"--num_train_epochs", "3", "--warmup_steps",
                                                      "0", "--lr_scheduler_type", "linear"}))
                                .recipe;
  EXPECT_EQ(given.num_train_epochs, 3);
  EXPECT_EQ(given.lr_scheduler_type, TrainRecipe::Scheduler::linear);
  EXPECT_EQ(given.warmup_ratio, 0);  // no warm-up was asked for
}

TEST(TrainRecipe, EvaluationDataIsNotReadWhereNoneIsWanted) {
  const RecipeReading none(needed_and({"--eval_dataset", "b.json", "--eval_strategy", "no"}));
  EXPECT_TRUE(run_data(none.recipe).evaluation.empty());
  const RecipeReading unsaid(needed_and({"--eval_dataset", "b.json"}));
  EXPECT_EQ(run_data(unsaid.recipe).evaluation.size(), 1u);
}

TEST(TrainRecipe, DefaultsFollowTheObjective) {
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "sft"})).recipe.learning_rate, 2e-5);
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "sft"})).recipe.data.kind, RowKind::sft);
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "sft", "--learning_rate", "3e-6"}))
                .recipe.learning_rate,
            3e-6);
  EXPECT_EQ(RecipeReading(needed_and({"--beta", "3", "--objective", "simpo"}))
                .recipe.objective_options.beta,
            3);
}

TEST(TrainRecipe, OurOwnRecipesResolve) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source_folder() / "recipes")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    SCOPED_TRACE(entry.path().string());
    const RecipeReading run({}, read_file(entry.path()));
    EXPECT_TRUE(run.options.remarks().empty());
    const bool published = entry.path().parent_path().filename() != "example";
    EXPECT_EQ(run.recipe.train_batch_size(), published ? 128 : 64);
    const bool trained_by_trl = std::set<std::string>{"dpo", "ipo", "kto"}.contains(
        entry.path().parent_path().filename().string());
    // Of models that neither SimPO's nor LMPO's authors trained.
    const bool later = std::set<std::string>{"llama-3.1-8b-instruct", "llama-3.2-3b-instruct",
                                             "qwen2.5-7b-instruct"}
                           .contains(entry.path().stem().string());
    EXPECT_EQ(run.recipe.data.boundary,
              published && !trained_by_trl && !later ? Boundary::simpo : Boundary::trl);
    ++count;
  }
  EXPECT_EQ(count, 34);
}

TEST(TrainRecipe, ObjectivesSayWhatRowsTheyTake) {
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "kto"})).recipe.data.kind, RowKind::labelled);
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "rrhf"})).recipe.data.kind, RowKind::ranked);
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "dpo"})).recipe.data.kind,
            RowKind::preference);
  EXPECT_EQ(RecipeReading(needed_and({"--objective", "dpo"})).recipe.objective_options.beta, 0.1);
}

TEST(TrainRecipe, ObjectivesRefuseWhatTheyCannotMean) {
  EXPECT_THAT(error_of(needed_and({"--beta", "0"})), HasSubstr("--beta"));
  EXPECT_THAT(error_of(needed_and({"--lambda", "-0.1"})), HasSubstr("--lambda"));
  EXPECT_THAT(error_of(needed_and({"--threads", "99999"})), HasSubstr("--threads"));
  EXPECT_THAT(error_of(needed_and({"--margin", "power6"})), HasSubstr("power5"));
  EXPECT_THAT(error_of(needed_and({"--objective", "simpo", "--loss_type", "ipo"})),
              HasSubstr("works with the objective dpo only"));
  const RecipeReading run(needed_and({"--objective", "dpo", "--lambda", "0.3"}));
  ASSERT_EQ(run.options.remarks().size(), 1u);
  EXPECT_EQ(run.options.remarks()[0].text, "--lambda has no effect on the objective dpo");
}

// The recipe that was published with the paper, as it stands.
TEST(TrainRecipe, ReadsAPublishedRecipe) {
  const RecipeReading run({}, R"(# Model arguments
model_name_or_path: princeton-nlp/Llama-3-Base-8B-SFT
torch_dtype: null
attn_implementation: flash_attention_2
dataset_mixer:
  HuggingFaceH4/ultrafeedback_binarized: 1.0
dataset_splits:
- train_prefs
- test_prefs
preprocessing_num_workers: 12
bf16: true
beta: 2.0
gamma_beta_ratio: 0.5
do_eval: true
evaluation_strategy: steps
eval_steps: 400
gradient_accumulation_steps: 16
gradient_checkpointing: true
gradient_checkpointing_kwargs:
  use_reentrant: False
hub_model_id: lmpo-exps
learning_rate: 6.0e-7
log_level: info
logging_steps: 5
lr_scheduler_type: cosine
max_length: 2048
max_prompt_length: 1800
num_train_epochs: 1
optim: adamw_torch
output_dir: outputs/llama-3-8b-base-lmpo
run_name: llama-3-8b-base-lmpo
per_device_train_batch_size: 2
per_device_eval_batch_size: 4
push_to_hub: false
save_strategy: "steps"
save_steps: 1000000
report_to:
- wandb
save_total_limit: 20
seed: 42
warmup_ratio: 0.1
)");
  const TrainRecipe& r = run.recipe;
  EXPECT_EQ(r.dtype, "bfloat16");
  EXPECT_EQ(r.objective_options.gamma_beta_ratio, 0.5);
  EXPECT_EQ(r.eval_strategy, TrainRecipe::Strategy::steps);
  EXPECT_EQ(r.eval_steps, 400);
  EXPECT_EQ(r.train_batch_size(), 32);
  EXPECT_EQ(r.learning_rate, 6e-7);
  EXPECT_EQ(r.lr_scheduler_type, TrainRecipe::Scheduler::cosine);
  EXPECT_EQ(r.data.max_prompt_length, 1800);
  EXPECT_EQ(r.warmup_ratio, 0.1);
  EXPECT_EQ(r.save_total_limit, 20);
  const RunData data = run_data(r);
  ASSERT_EQ(data.training.size(), 1u);
  EXPECT_EQ(data.training[0].path, "HuggingFaceH4/ultrafeedback_binarized");
  EXPECT_EQ(data.training[0].split, "train_prefs");
  ASSERT_EQ(data.evaluation.size(), 1u);
  EXPECT_EQ(data.evaluation[0].split, "test_prefs");
}

TEST(TrainRecipe, AcceptsTheNamesOfOtherTrainers) {
  const RecipeReading run(kNeeded,
                          "pref_beta: 0.7\npref_loss: simpo\nsimpo_gamma: 1.1\ncutoff_len: 512\n"
                          "micro_batch_size: 3\n");
  EXPECT_EQ(run.recipe.objective_options.beta, 0.7);
  EXPECT_EQ(run.recipe.objective, "simpo");
  EXPECT_EQ(run.recipe.objective_options.gamma, 1.1);
  EXPECT_EQ(run.recipe.data.max_length, 512);
  EXPECT_EQ(run.recipe.per_device_train_batch_size, 3);
  EXPECT_EQ(run.options.remarks().size(), 5u);
}

// TRL trains SimPO and KTO by the loss types of other trainers.
TEST(TrainRecipe, LossTypesThatAreObjectivesHere) {
  const RecipeReading run(kNeeded, "loss_type: [simpo]\nsft_weight: 0.1\n");
  EXPECT_EQ(run.recipe.objective, "simpo");
  EXPECT_EQ(run.recipe.objective_options.loss_type, PairLossType::sigmoid);
  ASSERT_EQ(run.options.remarks().size(), 1u);
  EXPECT_EQ(run.options.remarks()[0].text,
            "r.yaml:1: 'loss_type: simpo' is 'objective: simpo' here");
  EXPECT_EQ(run.options.place("objective"), "r.yaml:1: objective");
  EXPECT_THAT(error_of(needed_and({"--loss_type", "hinge"})), HasSubstr("add --objective"));
  EXPECT_THAT(error_of(kNeeded, "objective: dpo\nloss_type: simpo\n"), HasSubstr("contradicts"));
  const RecipeReading nll(kNeeded, "loss_type: simpo\n");
  ASSERT_EQ(nll.options.remarks().size(), 2u);
  EXPECT_THAT(nll.options.remarks()[1].text, HasSubstr("Set cpo_alpha to choose"));
}

TEST(TrainRecipe, ATemplateMayBeWrittenIntoTheRecipe) {
  const RecipeReading text(kNeeded,
                           "chat_template: \"{% for m in messages %}{{ m }}{% endfor %}\"\n");
  EXPECT_EQ(text.recipe.chat_template(), "{% for m in messages %}{{ m }}{% endfor %}");
  EXPECT_EQ(text.recipe.chat_template_source(), "chat_template");
  const RecipeReading file(needed_and({"--chat_template_path", "no/such.jinja"}));
  EXPECT_EQ(file.recipe.chat_template_source(), "no/such.jinja");
  EXPECT_THROW(static_cast<void>(file.recipe.chat_template()), UserError);
}

TEST(TrainRecipe, ForeignKeysAreRefusedWhereTheyWouldChangeTheRun) {
  for (const char* harmless :
       {"f_divergence_type: reverse_kl", "loss_weights: [1.0]", "loss_weights: null",
        "lr_scheduler_kwargs: {}", "neftune_noise_alpha: None", "alpha: 0.0",
        "completion_only_loss: true", "activation_checkpointing: false", "reference_free: no"}) {
    EXPECT_EQ(error_of(kNeeded, std::string("objective: dpo\n") + harmless), "nothing was thrown")
        << harmless;
  }
  for (const char* harmful :
       {"f_divergence_type: js_divergence", "loss_weights: [0.5, 1.0]", "ld_alpha: 0.5",
        "lr_scheduler_kwargs: {num_cycles: 3}", "neftune_noise_alpha: 5", "alpha: 0.25",
        "assistant_only_loss: false", "reference_free: true", "label_smoothing_factor: 0.1"}) {
    EXPECT_THAT(error_of(kNeeded, std::string("objective: dpo\n") + harmful),
                HasSubstr("is not supported"))
        << harmful;
  }
}

// What an error would hide is still seen, and the rest of the recipe is as it was written.
TEST(TrainRecipe, MistakesCanBeCollected) {
  RecipeReading run;
  run.options.collect_mistakes();
  EXPECT_TRUE(run.options.read_arguments({"-m", "model", "--sed", "5", "--seed", "x"}));
  run.options.read_yaml(
      "beta: [1, 2]\nlearning_rate: 3e-7\nmax_lenght: 5\nload_in_4bit: true\n"
      "eval_strategy: steps\nobjective: lmpo\n",
      "r.yaml");
  run.options.resolve();
  std::vector<std::string> found;
  for (const Remark& remark : run.options.remarks()) {
    EXPECT_EQ(remark.level, LogLevel::error);
    found.push_back(remark.name + " " + remark.place);
  }
  EXPECT_THAT(
      found,
      ElementsAre("option_unknown --sed", "option_unknown r.yaml:3", "option_invalid r.yaml:4",
                  "option_invalid r.yaml:1", "option_invalid --seed", "option_missing ",
                  "options_contradict output_dir", "options_contradict r.yaml:5: eval_strategy"));
  EXPECT_EQ(run.recipe.learning_rate, 3e-7);
  EXPECT_EQ(run.recipe.objective_options.beta, 2);
  EXPECT_EQ(run.recipe.seed, 42);
}

TEST(TrainRecipe, ResumeIsAFlagAPathOrNothing) {
  const auto resume = [](const char* word) {
    return RecipeReading(needed_and({std::string("--resume_from_checkpoint=") + word}))
        .recipe.resume_from_checkpoint;
  };
  EXPECT_EQ(RecipeReading(needed_and({"--resume"})).recipe.resume_from_checkpoint, "true");
  EXPECT_EQ(resume("True"), "true");
  EXPECT_EQ(resume("false"), "");
  EXPECT_EQ(resume("out/checkpoint-5"), "out/checkpoint-5");
  EXPECT_EQ(resume("null"), "");
}

TEST(TrainRecipe, PatternsOfWhatIsFrozenAreAList) {
  const std::vector<std::string> both = {"model.embed_tokens.*", "model.layers.[0-7].*"};
  const RecipeReading yaml(kNeeded,
                           "freeze:\n  - model.embed_tokens.*\n  - 'model.layers.[0-7].*'\n");
  EXPECT_EQ(yaml.recipe.freeze, both);
  EXPECT_EQ(RecipeReading(needed_and({"--freeze", both[0], "--freeze", both[1]})).recipe.freeze,
            both);
  EXPECT_EQ(RecipeReading(needed_and({"--freeze", both[0] + "," + both[1]})).recipe.freeze, both);
  EXPECT_EQ(RecipeReading(kNeeded, "freeze: '*.mlp.*'\n").recipe.freeze,
            std::vector<std::string>{"*.mlp.*"});
  EXPECT_THAT(error_of(kNeeded, "unfrozen_parameters: ['^lm_head']\n"),
              HasSubstr("except those that 'freeze' names"));
  EXPECT_THAT(error_of(kNeeded, "finetuning_type: freeze\n"),
              HasSubstr("To train only some weights, name the others with 'freeze'"));
}

TEST(TrainRecipe, RefusesWhatCannotBe) {
  EXPECT_THAT(error_of({"--data", "a", "--output_dir", "o"}),
              HasSubstr("--model_name_or_path is needed"));
  EXPECT_THAT(error_of({"-m", "m", "--output_dir", "o"}), HasSubstr("--dataset is needed"));
  EXPECT_THAT(error_of({"-m", "m", "--data", "a"}), HasSubstr("--output_dir DIR"));
  EXPECT_EQ(error_of({"-m", "m", "--data", "a", "--dry_run"}), "nothing was thrown");
  EXPECT_THAT(error_of(kNeeded, "beta: 0\n"),
              HasSubstr("r.yaml:1: beta: a number > 0 was expected, not '0'"));
  EXPECT_THAT(error_of(needed_and({"--objective", "simop"})), HasSubstr("one of sft, dpo, ipo"));
  EXPECT_THAT(error_of(needed_and({"--max_prompt_length", "1024"})),
              HasSubstr("--max_prompt_length: it must be smaller than max_length, which is 1024"));
  EXPECT_THAT(error_of(needed_and({"--eval_strategy", "epoch"})), HasSubstr("eval_dataset"));
  EXPECT_THAT(error_of(needed_and({"--home_advantage", "1", "--gamma_beta_ratio", "1"})),
              HasSubstr("give only one"));
}

TEST(TrainRecipe, WarnsOfOptionsTheObjectiveDoesNotUse) {
  const RecipeReading run(needed_and({"--objective", "sft", "--beta", "2", "--lambda", "1"}));
  ASSERT_EQ(run.options.remarks().size(), 2u);
  EXPECT_EQ(run.options.remarks()[0].level, LogLevel::warning);
  EXPECT_EQ(run.options.remarks()[0].text, "--beta has no effect on the objective sft");
}

TEST(TrainRecipe, EveryOptionOfAnObjectiveIsAnOption) {
  RecipeReading run;
  for (const ObjectiveInfo& info : objectives()) {
    for (const std::string_view name : info.options) {
      EXPECT_NO_THROW(static_cast<void>(run.options.given(name))) << name;
    }
  }
}

TEST(TrainRecipe, KnowsWhatChangesAResult) {
  const std::vector<std::string> names = options_that_change_result();
  for (const ObjectiveInfo& info : objectives()) {
    EXPECT_THAT(names, IsSupersetOf(info.options)) << info.name;
  }
  EXPECT_THAT(names, IsSupersetOf({"objective", "learning_rate", "weight_decay", "adam_beta1",
                                   "max_steps", "seed", "data_seed", "dtype", "compute", "optim",
                                   "device", "gradient_accumulation_steps"}));
  for (const char* name : {"output_dir", "logging_steps", "threads", "max_memory", "recompute"}) {
    EXPECT_THAT(names, Not(Contains(name)));
  }
}

TEST(TrainRecipe, HelpAndTablesKnowTheObjectives) {
  RecipeReading run;
  EXPECT_THAT(help_page(run.options.describe(), "all", {}),
              AllOf(HasSubstr("-m, --model_name_or_path, --model DIR"),
                    HasSubstr("(env: LMPO_LEARNING_RATE)"), HasSubstr("[default: 1e-6]"),
                    HasSubstr("[required]"), HasSubstr("softplus(-(beta (a_w - a_l) - gamma))")));
  EXPECT_THAT(objectives_markdown(), HasSubstr("| `simpo` |"));
  EXPECT_THAT(options_markdown(run.options.describe()), HasSubstr("| `learning_rate` | 1e-6 |"));
}

TEST(AbsoluteSteps, BelowOneIsARatio) {
  EXPECT_EQ(absolute_steps(0.1, 1000), 100);
  EXPECT_EQ(absolute_steps(0.1, 1001), 101);
  EXPECT_EQ(absolute_steps(25, 1000), 25);
  EXPECT_EQ(absolute_steps(0, 1000), 0);
  EXPECT_EQ(absolute_steps(1e308, 1000), std::int64_t{1} << 62);
}

TEST(TrainRecipe, TheRecordOfAnyBytesCanBeWritten) {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  EXPECT_TRUE(options.read_arguments({"--data", "a\x94.json", "--output_dir", "\xff"}));
  options.read_yaml("model: m", "\xff.yaml");
  options.resolve();
  EXPECT_EQ(recipe.output_dir, "\xff");
  const ordered_json record = ordered_json::parse(options.record().dump());
  EXPECT_EQ(record["dataset"]["value"][0], "a\uFFFD.json");
  EXPECT_EQ(record["model_name_or_path"]["place"], "\uFFFD.yaml:1");
}

TEST(TrainRecipe, RefusesNumbersNoRunCanCountWith) {
  EXPECT_THAT(
      error_of(needed_and({"--per_device_train_batch_size", "1048576",
                           "--gradient_accumulation_steps", "1048576"})),
      HasSubstr("--gradient_accumulation_steps: multiplied by per_device_train_batch_size, which "
                "is 1048576, it must be at most 16777216"));
  EXPECT_THAT(error_of(needed_and({"--max_steps", "1000000001"})), HasSubstr("--max_steps"));
  EXPECT_THAT(error_of(needed_and({"--num_train_epochs", "1e300"})),
              HasSubstr("--num_train_epochs: a number in (0, 1000000] was expected"));
  EXPECT_THAT(error_of(needed_and({"--max_shard_size", "0.4"})),
              HasSubstr("--max_shard_size: a size above 0 was expected"));
}

}  // namespace
}  // namespace lmpo::train_recipe_test

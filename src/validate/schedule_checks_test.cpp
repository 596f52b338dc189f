// Checks of steps, learning rate and machine, and how findings are shown.
#include <algorithm>

#include "base/testing/test_paths.h"
#include "objective/registry.h"
#include "validate/testing.h"

namespace lmpo::schedule_checks_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ScheduleChecks, Batches) {
  TestedRun run({"--num_train_epochs", "1", "--warmup_ratio", "0.1"});
  expect(run.find("steps"), Severity::note, "--num_train_epochs",
         "10 steps of 128 examples (16 micro-batches of 8); 10 per epoch; warm-up 1 step");
  EXPECT_FALSE(run.find("last_batch_partial"));
  run.facts.train->examples = 100;
  expect(run.find("batch_exceeds_rows"), Severity::warning, "--gradient_accumulation_steps",
         "has 100 examples, but a step takes 128");
  run.facts.train->examples = 1283;
  expect(run.find("last_batch_partial"), Severity::note, "--gradient_accumulation_steps",
         "has 3 of 128", "dataloader_drop_last");
  TestedRun dropping({"--dataloader_drop_last"});
  dropping.facts.train->examples = 1283;
  expect(dropping.find("last_batch_partial"), Severity::note, "--gradient_accumulation_steps",
         "each epoch skips the last 3 examples");
}

TEST(ScheduleChecks, ABatchThatWasNotPublished) {
  EXPECT_FALSE(TestedRun().find("batch_not_published"));
  const TestedRun run({"--per_device_train_batch_size", "2"});
  expect(run.find("batch_not_published"), Severity::warning, "--gradient_accumulation_steps",
         "32 examples (2 x 16)", "gradient_accumulation_steps to 64");
  TestedRun small({"--per_device_train_batch_size", "2"});
  small.facts.model->layers = 1;
  EXPECT_FALSE(small.find("batch_not_published"));
}

TEST(ScheduleChecks, LearningRatesFarFromThePublished) {
  for (const char* usual : {"3e-7", "1e-6", "4.9e-6", "6.1e-8"}) {
    const TestedRun run({"--learning_rate", usual});
    EXPECT_FALSE(run.find("learning_rate_high")) << usual;
    EXPECT_FALSE(run.find("learning_rate_low")) << usual;
  }
  TestedRun high({}, "beta: 2\nlearning_rate: 5e-5\n");
  expect(high.find("learning_rate_high"), Severity::warning, "r.yaml:2: learning_rate",
         "5e-05 is high: the published runs of lmpo had 3e-07 to 1e-06 (Table 5", "1e-06");
  high.facts.model->layers = 1;
  expect(high.find("learning_rate_high"), Severity::note, "r.yaml:2: learning_rate", "high",
         "small models take larger learning rates");
  expect(TestedRun({"--learning_rate", "1e-8"}).find("learning_rate_low"), Severity::warning,
         "--learning_rate", "is so low", "3e-07");
  expect(TestedRun({"--learning_rate", "0"}).find("learning_rate_zero"), Severity::warning,
         "--learning_rate", "changes nothing");
  // The same number is usual for one objective and far from another's.
  EXPECT_FALSE(
      TestedRun({"--objective", "orpo", "--learning_rate", "2e-5"}).find("learning_rate_high"));
  EXPECT_TRUE(
      TestedRun({"--objective", "dpo", "--learning_rate", "2e-5"}).find("learning_rate_high"));
  EXPECT_FALSE(
      TestedRun({"--objective", "sft", "--learning_rate", "2e-5"}).find("learning_rate_high"));
}

TEST(ScheduleChecks, BetasFarFromThePublished) {
  const TestedRun low({"--beta", "0.1"});
  expect(low.find("beta_low"), Severity::warning, "--beta",
         "a beta of 0.1 is low: the loss is nearly flat and will hardly change the model; the "
         "published runs of lmpo had 2 to 2.5",
         "start with 2");
  EXPECT_TRUE(TestedRun({"--objective", "dpo", "--beta", "2"}).find("beta_high"));
  EXPECT_FALSE(TestedRun({"--objective", "dpo", "--beta", "0.01"}).find("beta_low"));
  for (const char* usual : {"2", "2.5", "10"}) {
    EXPECT_FALSE(TestedRun({"--beta", usual}).find("beta_high")) << usual;
  }
  for (const Finding& finding : check_run(low.facts, CheckedBy::training).all()) {
    if (finding.name == "beta_low") {
      return;  // train says it too
    }
  }
  FAIL() << "lmpo train does not warn";
}

TEST(ScheduleChecks, ASmallBatchSaysWhatItMeansForTheLearningRate) {
  TestedRun run({"--per_device_train_batch_size", "1"});
  expect(run.find("batch_not_published"), Severity::warning, "--gradient_accumulation_steps",
         "a batch 8 times smaller means 8 times as many steps");
  run.facts.model->layers = 1;
  expect(run.find("batch_not_published"), Severity::note, "--gradient_accumulation_steps",
         "the published learning rate is rather high");
}

TEST(ScheduleChecks, EveryPublishedRangeHasItsSource) {
  for (const ObjectiveInfo& info : objectives()) {
    const PublishedRuns& published = info.published;
    EXPECT_LE(published.lowest_rate, published.highest_rate) << info.name;
    EXPECT_EQ(published.highest_rate > 0, !published.source.empty()) << info.name;
    EXPECT_LE(published.lowest_beta, published.highest_beta) << info.name;
    EXPECT_TRUE(published.highest_beta == 0 || info.uses("beta")) << info.name;
  }
}

TEST(ScheduleChecks, OurRecipesAreAsPublished) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source_folder() / "recipes")) {
    if (entry.path().extension() != ".yaml" || entry.path().parent_path().filename() == "example") {
      continue;
    }
    SCOPED_TRACE(entry.path().string());
    TrainRecipe recipe;
    OptionSet options("lmpo train", "");
    add_train_options(options, recipe);
    options.read_yaml(read_file(entry.path()), entry.path().string());
    options.resolve();
    const PublishedRuns& published = find_objective(recipe.objective).published;
    EXPECT_GE(recipe.learning_rate, published.lowest_rate);
    EXPECT_LE(recipe.learning_rate, published.highest_rate);
    EXPECT_EQ(recipe.train_batch_size(), published.batch);
    ++count;
  }
  EXPECT_EQ(count, 25);
}

TEST(ScheduleChecks, AWarmUpThatNeverEnds) {
  EXPECT_FALSE(TestedRun({"--max_steps", "10", "--warmup_steps", "9"}).find("warmup_too_long"));
  expect(TestedRun({"--max_steps", "10", "--warmup_steps", "10"}).find("warmup_too_long"),
         Severity::warning, "--warmup_steps", "the warm-up has 10 steps, but the run ends after 10",
         "warmup_ratio 0.1");
  expect(TestedRun({"--max_steps", "1", "--warmup_steps", "1"}).find("warmup_too_long"),
         Severity::warning, "--warmup_steps", "the warm-up has 1 step", "warmup_ratio 0");
}

TEST(ScheduleChecks, IntervalsBeyondTheEnd) {
  const std::vector<std::string> run = {"--max_steps", "10"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), run.begin(), run.end());
    return TestedRun(more);
  };
  expect(with({"--logging_steps", "11"}).find("logging_beyond_end"), Severity::warning,
         "--logging_steps", "every 11 steps, but the run has only 10");
  expect(with({"--save_steps", "11"}).find("checkpoint_at_end_only"), Severity::note,
         "--save_steps", "one checkpoint");
  expect(with({"--eval_dataset", "b.json", "--eval_strategy", "steps", "--eval_steps", "11"})
             .find("evaluation_at_end_only"),
         Severity::note, "--eval_steps", "at its end only");
  const TestedRun within = with({"--logging_steps", "10", "--save_steps", "10"});
  EXPECT_FALSE(within.find("logging_beyond_end"));
  EXPECT_FALSE(within.find("checkpoint_at_end_only"));
}

TEST(MachineChecks, Memory) {
  TestedRun run;
  expect(run.find("memory"), Severity::note, "cpu", "needs 1.00 kB of memory (weights 700 B)");
  run.facts.memory->allowed = 1050;
  expect(run.find("memory_tight"), Severity::warning, "cpu", "are free");
  run.facts.memory->allowed = 999;
  expect(run.find("memory_too_small"), Severity::error, "cpu", "999 B are free", "recompute");
  run.facts.memory->allowed = 5000;
  run.facts.memory->plan.host = 10;
  expect(run.find("host_memory_too_small"), Severity::error, "cpu", "10 B of host memory");
  TestedRun limited({"--max_memory", "999"});
  limited.facts.memory->allowed = 999;
  expect(limited.find("memory_too_small"), Severity::error, "--max_memory", "are allowed");
}

TEST(MachineChecks, Disk) {
  TestedRun run;
  expect(run.find("disk"), Severity::note, "--output_dir", "700 B in total; 1.00 kB are free");
  run.facts.disk->free = 699;
  expect(run.find("disk_too_small"), Severity::error, "--output_dir", "699 B are free",
         "save_total_limit");
  run.facts.disk->freed = 1;
  expect(run.find("disk"), Severity::note, "--output_dir", "1 B more after the earlier run");
  // While a checkpoint is written, the one that it replaces is still there.
  run.facts.disk->most = 3;
  EXPECT_EQ(run.facts.disk->needed(), 900u);
  run.facts.disk->paged = 50;
  EXPECT_EQ(run.facts.disk->needed(), 950u);
}

TEST(MachineChecks, Processor) {
  TestedRun run({"--threads", "64"});
  EXPECT_FALSE(run.find("threads_exceed_processors"));
  run.facts.machine->processors = 2;
  expect(run.find("threads_exceed_processors"), Severity::warning, "--threads", "64 threads");
  run.facts.machine->has_unused_gpu = true;
  expect(run.find("gpu_unused"), Severity::note, "device (default)", "this machine has a GPU");
  TestedRun half({"--bf16"});
  EXPECT_FALSE(half.find("bfloat16_of_weights_alone"));
  half.facts.machine->bfloat16_rate = 1.1;
  EXPECT_FALSE(half.find("bfloat16_of_weights_alone"));
  half.facts.machine->bfloat16_rate = 1.8;
  expect(half.find("bfloat16_of_weights_alone"), Severity::note, "--bf16", "float32",
         "1.8 times as fast");
  TestedRun asked({"--compute", "bfloat16"});
  EXPECT_FALSE(asked.find("bfloat16_slower"));
  asked.facts.machine->bfloat16_rate = 1.1;
  EXPECT_FALSE(asked.find("bfloat16_slower"));
  asked.facts.machine->bfloat16_rate = 0.62;
  expect(asked.find("bfloat16_slower"), Severity::warning, "--compute", "0.6 times as fast",
         "remove compute");
  asked.facts.machine->computes_on_cpu = false;
  EXPECT_FALSE(asked.find("bfloat16_slower"));
}

TEST(Findings, ErrorsComeFirstAndAreCounted) {
  Findings findings;
  findings.note("n", "", "A note.", "none");
  findings.error("e", "r.yaml:3", "An error.", "Do it.");
  findings.warning("w", "--x", "A warning.", "Think.");
  const ordered_json shown = to_json(findings);
  EXPECT_EQ(shown["errors"], 1);
  EXPECT_EQ(shown["findings"][0]["name"], "e");
  EXPECT_EQ(shown["findings"][1]["severity"], "warning");
  TerminalText plain({.columns = 80});
  print(findings, plain);
  EXPECT_EQ(plain.text(),
            "error: e at r.yaml:3\n  An error.\n  -> Do it.\nwarning: w at --x\n  A warning.\n"
            "  -> Think.\nnote: n\n  A note.\n  -> none\n"
            "1 error, 1 warning, 1 note: lmpo train would fail\n");
  TerminalText coloured({.columns = 80, .colours = true});
  print(findings, coloured);
  EXPECT_THAT(coloured.text(), AllOf(HasSubstr("\x1b[31;1merror: e"), HasSubstr("\x1b[33;1mwarn")));
}

TEST(Findings, WhatANameHoldsCommandsNoTerminal) {
  Findings findings;
  findings.error("e", "a\x1b[2J.yaml", "b\nc\x1b]0;title\x07", "d");
  TerminalText out({.columns = 80});
  print(findings, out);
  EXPECT_THAT(out.text(), AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
  EXPECT_EQ(std::ranges::count(out.text(), '\n'), 4);
}

}  // namespace
}  // namespace lmpo::schedule_checks_test

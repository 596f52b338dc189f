// Each check on facts in which its finding is, and on those in which it is not.
#include "validate/checks.h"

#include <gmock/gmock.h>

#include <set>

#include "objective/registry.h"

namespace lmpo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ModelConfig llama_7b() {
  ModelConfig config;
  config.family = "llama";
  config.vocab_size = 32000;
  config.hidden_size = 4096;
  config.intermediate_size = 11008;
  config.layers = 32;
  config.heads = 32;
  config.key_heads = 32;
  config.head_size = 128;
  config.max_positions = 4096;
  config.bos_id = 1;
  return config;
}

// A run with a recipe, by flags and YAML, and what a sound model and sound data would add to it.
struct TestedRun {
  TrainRecipe recipe;
  OptionSet options{"lmpo train", ""};
  RunFacts facts{recipe, options};

  explicit TestedRun(std::vector<std::string> more = {}, std::string_view yaml = "") {
    std::vector<std::string> arguments = {"r.yaml", "-m",
                                          "model",  "--data",
                                          "a.json", "--output_dir",
                                          "out",    "--objective",
                                          "lmpo",   "--gradient_accumulation_steps",
                                          "16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    add_train_options(options, recipe);
    EXPECT_TRUE(options.read_arguments(arguments));
    options.read_yaml(yaml, "r.yaml");
    options.resolve();
    facts.model = llama_7b();
    facts.text.emplace();
    facts.text->ids = 32000;
    facts.text->special = {{"bos_token", {"<s>", 1}}, {"eos_token", {"</s>", 2}}};
    facts.text->stops = {{"</s>", 2}};
    facts.text->template_size = 100;
    facts.text->example = "QUESTION ANSWER</s>";
    facts.train = data(1280);
    facts.machine = MachineFacts{.processors = 1024};
    facts.needs_reference = false;
    facts.length = RunLength(recipe, facts.train->examples);
    facts.memory.emplace();
    facts.memory->plan.arena = 1000;
    facts.memory->plan.at_peak["weights"] = 700;
    facts.memory->allowed = 2000;
    facts.memory->device = "cpu";
    facts.memory->recompute = "none";
    facts.memory->computed_at_once = 8;
    facts.disk = DiskFacts{
        .free = 1000, .model = 100, .checkpoint = 300, .written = 2, .most = 2, .kept = 2};
  }

  static DataFacts data(std::int64_t rows) {
    DataFacts facts;
    facts.what = "train data";
    facts.option = "dataset";
    facts.rows = facts.kept = facts.examples = facts.conversations = rows;
    facts.longest = 500;
    return facts;
  }

  // Of the facts as they are now.
  std::optional<Finding> find(const std::string& name) const {
    for (const Finding& finding : check_run(facts, CheckedBy::validate).all()) {
      if (finding.name == name) {
        return finding;
      }
    }
    return std::nullopt;
  }
};

void expect(const std::optional<Finding>& finding, Severity severity, const std::string& place,
            const std::string& reason, const std::string& remedy = "") {
  ASSERT_TRUE(finding.has_value()) << reason;
  EXPECT_EQ(finding->severity, severity) << finding->name;
  EXPECT_EQ(finding->place, place) << finding->name;
  EXPECT_THAT(finding->reason, HasSubstr(reason));
  EXPECT_THAT(finding->remedy, HasSubstr(remedy));
  EXPECT_THAT(finding->remedy, Not(IsEmpty())) << finding->name;
}

TEST(Checks, ASoundRunHasNotesAlone) {
  const TestedRun run;
  std::set<std::string> names;
  for (const Finding& finding : check_run(run.facts, CheckedBy::validate).all()) {
    EXPECT_EQ(finding.severity, Severity::note) << finding.name << ": " << finding.reason;
    names.insert(finding.name);
    EXPECT_THAT(finding.remedy, Not(IsEmpty())) << finding.name;
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"steps", "memory", "disk"}));
}

TEST(Checks, NothingIsSaidOfWhatIsNotKnown) {
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  std::set<std::string> names;
  for (const Finding& finding : check_run(RunFacts(recipe, options), CheckedBy::validate).all()) {
    names.insert(finding.name);
  }
  EXPECT_EQ(names, std::set<std::string>{"batch_not_published"});
}

TEST(Checks, TrainingLeavesOutWhatItSaysItself) {
  TestedRun run;
  run.facts.train->longest = 5000;
  run.facts.train->duplicates = 100;
  std::set<std::string> names;
  for (const Finding& finding : check_run(run.facts, CheckedBy::training).all()) {
    names.insert(finding.name);
  }
  EXPECT_FALSE(names.contains("positions_exceeded"));
  EXPECT_TRUE(names.contains("rows_duplicate"));
}

// --- the model

TEST(ModelChecks, TokenizerLargerThanTheEmbedding) {
  TestedRun run;
  run.facts.text->ids = 32000;
  EXPECT_FALSE(run.find("tokenizer_exceeds_embedding"));
  run.facts.text->ids = 32001;
  expect(run.find("tokenizer_exceeds_embedding"), Severity::error, "-m", "ids up to 32000",
         "rows of their own");
}

TEST(ModelChecks, SpecialTokens) {
  TestedRun run;
  run.facts.text->special.push_back({"pad_token", {"<pad>", -1}});
  run.facts.text->special[0].second.second = 5;
  run.facts.text->stops = {{"<|eot|>", 7}, {"", 40000}};
  expect(run.find("special_token_unknown"), Severity::warning, "-m", "pad_token <pad>");
  expect(run.find("bos_differs"), Severity::warning, "-m", "<s> is id 5");
  expect(run.find("eos_not_a_stop"), Severity::warning, "-m", "</s> (id 2)");
  expect(run.find("stop_beyond_vocabulary"), Severity::warning, "-m", "names 40000");
}

TEST(ModelChecks, ChatTemplate) {
  TestedRun run;
  run.facts.text->example = "QUESTION ANSWER";
  expect(run.find("template_without_end_of_turn"), Severity::warning, "-m", "learn to stop");
  run.facts.text->template_error = "Roles!";
  expect(run.find("template_raises"), Severity::warning, "-m", "Roles!");
  EXPECT_FALSE(run.find("template_without_end_of_turn"));
  run.facts.text->template_error = "";
  run.facts.text->template_size = 0;
  EXPECT_FALSE(run.find("template_without_end_of_turn"));
  expect(run.find("no_chat_template"), Severity::note, "-m", "no chat template");
  TestedRun own({"--chat_template", "t.jinja"});
  own.facts.text->example = "QUESTION ANSWER";
  expect(own.find("template_without_end_of_turn"), Severity::warning, "--chat_template", "");
}

TEST(ModelChecks, PositionsOfTheModel) {
  TestedRun run({}, "max_length: 8192\n");
  run.facts.train->longest = 4096;
  EXPECT_FALSE(run.find("positions_exceeded"));
  run.facts.train->longest = 4097;
  expect(run.find("positions_exceeded"), Severity::warning, "r.yaml:1: max_length", "made for 4096",
         "set max_length to 4096");
}

// --- the data

TEST(DataChecks, Drops) {
  TestedRun run;
  run.facts.train->drops.add(3, DropReason::empty_response);
  run.facts.train->rows = 1281;
  expect(run.find("rows_dropped"), Severity::note, "--data", "empty response 1 (row 3)");
  for (int row = 4; row < 30; ++row) {
    run.facts.train->drops.add(row, DropReason::identical_responses);
  }
  expect(run.find("rows_dropped"), Severity::warning, "--data", "identical responses 26");
  run.facts.train->kept = 0;
  expect(run.find("no_usable_row"), Severity::error, "--data", "no row can be used");
}

TEST(DataChecks, Truncation) {
  TestedRun run;
  run.facts.train->truncated = 128;
  expect(run.find("rows_truncated"), Severity::note, "max_length (default)",
         "128 of 1280 rows (10.0%) are cut to 1024 tokens");
  run.facts.train->truncated = 129;
  expect(run.find("rows_truncated"), Severity::warning, "max_length (default)", "129 of");
  run.facts.train->identical_after_truncation = 2;
  expect(run.find("identical_after_truncation"), Severity::warning, "max_length (default)",
         "2 of 1280");
}

TEST(DataChecks, DuplicatesAndContradictions) {
  TestedRun run;
  run.facts.train->duplicates = 1;
  expect(run.find("rows_duplicate"), Severity::note, "--data", "1 of 1280");
  run.facts.train->duplicates = 13;
  expect(run.find("rows_duplicate"), Severity::warning, "--data", "13 of 1280");
  run.facts.train->contradictions = 1;
  expect(run.find("rows_contradict"), Severity::warning, "--data", "1 of 1280", "swapped");
}

TEST(DataChecks, TurnEndsAreThoseOfInspect) {
  TestedRun run;
  run.facts.train->turn_ends = {{"bos_doubled", "twice", "once"}};
  expect(run.find("bos_doubled"), Severity::warning, "--data", "train data: twice", "once");
}

TEST(DataChecks, PlainTextBesideATemplate) {
  TestedRun run;
  run.facts.train->conversations = 1000;
  expect(run.find("rows_without_template"), Severity::warning, "--data", "280 of 1280");
  run.facts.text->template_size = 0;
  EXPECT_FALSE(run.find("rows_without_template"));
}

TEST(DataChecks, TokensAcrossTheBoundary) {
  TestedRun run;
  run.facts.train->token_spans_boundary = 4;
  expect(run.find("token_spans_boundary"), Severity::warning, "boundary (default)", "4 of 1280");
}

TEST(DataChecks, LabelsOfOneKind) {
  TestedRun run({"--objective", "kto"});
  run.facts.train->approved = 600;
  EXPECT_FALSE(run.find("one_label"));
  run.facts.train->approved = 1280;
  expect(run.find("one_label"), Severity::warning, "--data", "every label is true");
}

TEST(DataChecks, EvaluationRowsInTheTrainingData) {
  TestedRun run({"--eval_dataset", "b.json"});
  run.facts.evaluation = TestedRun::data(100);
  run.facts.train->row_hashes = {"a", "b", "c"};
  run.facts.evaluation->row_hashes = {"d"};
  EXPECT_FALSE(run.find("evaluation_in_training"));
  run.facts.evaluation->row_hashes = {"d", "b"};
  expect(run.find("evaluation_in_training"), Severity::warning, "--eval_dataset", "1 of 100");
}

// --- the options

TEST(OptionChecks, ARecipeThatNamesNoObjective) {
  EXPECT_FALSE(TestedRun().find("objective_not_named"));
  TestedRun run;
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  ASSERT_TRUE(options.read_arguments({"simpo.yaml"}));
  Findings findings;
  check_objective_named(RunFacts(recipe, options), findings);
  ASSERT_EQ(findings.all().size(), 1u);
  expect(findings.all()[0], Severity::note, "simpo.yaml", "lmpo is trained", "--objective");
}

TEST(OptionChecks, OptionsWithoutEffect) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"--eval_steps", "5"}, "eval_strategy is not 'steps'"},
      {{"--save_strategy", "epoch", "--save_steps", "5"}, "save_strategy is not 'steps'"},
      {{"--save_strategy", "no", "--save_total_limit", "2"}, "no checkpoints"},
      {{"--max_steps", "3", "--num_train_epochs", "1"}, "max_steps says"},
      {{"--warmup_steps", "3", "--warmup_ratio", "0.1"}, "warmup_steps says"},
      {{"--lr_scheduler_type", "constant", "--warmup_ratio", "0.1"}, "has no warm-up"},
      {{"--lr_scheduler_type", "constant", "--warmup_steps", "1"}, "has no warm-up"},
      {{"--train_sampling_strategy", "sequential", "--data_seed", "1"}, "keeps the order"},
      {{"--sft_on", "response"}, "only the objective sft"},
      {{"--auto_insert_empty_system_msg"}, "the boundary is not simpo"},
      {{"--zscore_group", "4"}, "zscore is not 'code'"},
      {{"--zscore", "none", "--ema_decay", "0.5"}, "neither 'ema' nor 'code'"},
      {{"--margin_alpha", "2"}, "the margin is not 'log'"},
      {{"--margin_beta", "2"}, "the margin is not 'sigmoid'"},
  };
  for (const auto& [arguments, reason] : cases) {
    const auto finding = TestedRun(arguments).find("option_without_effect");
    ASSERT_TRUE(finding) << reason;
    EXPECT_THAT(finding->reason, HasSubstr(reason));
    EXPECT_THAT(arguments, ::testing::Contains(finding->place));
  }
  EXPECT_FALSE(TestedRun({"--margin", "log", "--margin_alpha", "2"}).find("option_without_effect"));
}

TEST(OptionChecks, TheReference) {
  TestedRun run({"--objective", "dpo"});
  run.facts.needs_reference = true;
  expect(run.find("reference"), Severity::note, "ref_model_name_or_path (default)",
         "the model as it is before training");
  TestedRun other({"--ref_model", "elsewhere"});
  expect(other.find("reference_unused"), Severity::warning, "--ref_model", "no reference model");
  other.facts.needs_reference = true;
  expect(other.find("reference"), Severity::note, "--ref_model", "elsewhere");
}

// --- steps and learning rate

TEST(ScheduleChecks, Batches) {
  TestedRun run({"--num_train_epochs", "1", "--warmup_ratio", "0.1"});
  expect(run.find("steps"), Severity::note, "--num_train_epochs",
         "10 steps of 128 examples (8 at once, 16 times); 10 in an epoch; warm-up 1 steps");
  EXPECT_FALSE(run.find("last_batch_partial"));
  run.facts.train->examples = 100;
  expect(run.find("batch_exceeds_rows"), Severity::warning, "--gradient_accumulation_steps",
         "has 100 examples, and a step takes 128");
  run.facts.train->examples = 1283;
  expect(run.find("last_batch_partial"), Severity::note, "--gradient_accumulation_steps",
         "has 3 of 128", "dataloader_drop_last");
  TestedRun dropping({"--dataloader_drop_last"});
  dropping.facts.train->examples = 1283;
  expect(dropping.find("last_batch_partial"), Severity::note, "--gradient_accumulation_steps",
         "3 examples of each epoch are left out");
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
         "as small as this one");
  expect(TestedRun({"--learning_rate", "1e-8"}).find("learning_rate_low"), Severity::warning,
         "--learning_rate", "is low", "3e-07");
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

TEST(ScheduleChecks, EveryPublishedRangeHasItsSource) {
  for (const ObjectiveInfo& info : objectives()) {
    const PublishedRuns& published = info.published;
    EXPECT_LE(published.lowest_rate, published.highest_rate) << info.name;
    EXPECT_EQ(published.highest_rate > 0, !published.source.empty()) << info.name;
  }
}

TEST(ScheduleChecks, OurRecipesAreAsPublished) {
  int count = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(LMPO_SOURCE_DIR) / "recipes")) {
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
  EXPECT_EQ(count, 19);
}

TEST(ScheduleChecks, AWarmUpThatNeverEnds) {
  EXPECT_FALSE(TestedRun({"--max_steps", "10", "--warmup_steps", "9"}).find("warmup_too_long"));
  expect(TestedRun({"--max_steps", "10", "--warmup_steps", "10"}).find("warmup_too_long"),
         Severity::warning, "--warmup_steps", "10 steps is not over when the run ends after 10");
}

TEST(ScheduleChecks, IntervalsBeyondTheEnd) {
  const std::vector<std::string> run = {"--max_steps", "10"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), run.begin(), run.end());
    return TestedRun(more);
  };
  expect(with({"--logging_steps", "11"}).find("logging_beyond_end"), Severity::warning,
         "--logging_steps", "every 11 steps, and the run has 10");
  expect(with({"--save_steps", "11"}).find("checkpoint_at_end_only"), Severity::note,
         "--save_steps", "one checkpoint");
  expect(with({"--eval_dataset", "b.json", "--eval_strategy", "steps", "--eval_steps", "11"})
             .find("evaluation_at_end_only"),
         Severity::note, "--eval_steps", "at its end alone");
  const TestedRun within = with({"--logging_steps", "10", "--save_steps", "10"});
  EXPECT_FALSE(within.find("logging_beyond_end"));
  EXPECT_FALSE(within.find("checkpoint_at_end_only"));
}

// --- the machine

TEST(MachineChecks, Memory) {
  TestedRun run;
  expect(run.find("memory"), Severity::note, "cpu", "needs 1.00 kB of memory (weights 700 B)");
  run.facts.memory->allowed = 1050;
  expect(run.find("memory_tight"), Severity::warning, "cpu", "are free");
  run.facts.memory->allowed = 999;
  expect(run.find("memory_too_small"), Severity::error, "cpu", "999 B are free", "recompute");
  run.facts.memory->allowed = 5000;
  run.facts.memory->plan.host = 10;
  expect(run.find("host_memory_too_small"), Severity::error, "cpu", "10 B of the host's");
  TestedRun limited({"--max_memory", "999"});
  limited.facts.memory->allowed = 999;
  expect(limited.find("memory_too_small"), Severity::error, "--max_memory", "are allowed");
}

TEST(MachineChecks, Disk) {
  TestedRun run;
  expect(run.find("disk"), Severity::note, "--output_dir", "700 B in all, and 1.00 kB are free");
  run.facts.disk->free = 699;
  expect(run.find("disk_too_small"), Severity::error, "--output_dir", "699 B are free",
         "save_total_limit");
  run.facts.disk->freed = 1;
  expect(run.find("disk"), Severity::note, "--output_dir", "1 B more once the earlier run");
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
  expect(run.find("gpu_unused"), Severity::note, "device (default)", "there is a GPU");
  TestedRun half({"--bf16"});
  EXPECT_FALSE(half.find("bfloat16_of_weights_alone"));
  half.facts.machine->has_fast_bfloat16 = true;
  expect(half.find("bfloat16_of_weights_alone"), Severity::note, "--bf16", "float32");
}

// --- how findings are shown

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
            "1 error, 1 warning, 1 note: lmpo train would not get through\n");
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
}  // namespace lmpo

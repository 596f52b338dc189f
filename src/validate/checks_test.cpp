// Checks of model, data and options on facts in which their findings are, and in which they are
// not.
#include <set>

#include "validate/testing.h"

namespace lmpo::checks_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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
  for (const Finding& finding : check_run(RunFacts(recipe, {}), CheckedBy::validate).all()) {
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
  expect(run.find("stop_beyond_vocabulary"), Severity::warning, "-m", "eos_token_id is 40000");
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
  expect(run.find("positions_exceeded"), Severity::warning, "r.yaml:1: max_length",
         "the model was made for 4096", "set max_length to 4096");
}

// Training refuses it.
TEST(ModelChecks, PositionsOfADynamicTable) {
  TestedRun run({}, "max_length: 8192\n");
  run.facts.model->ropes = {Rope{.kind = Rope::Kind::dynamic, .original_positions = 2048}};
  run.facts.train->longest = 2048;
  EXPECT_FALSE(run.find("dynamic_rope_exceeded"));
  run.facts.train->longest = 2049;
  expect(run.find("dynamic_rope_exceeded"), Severity::error, "r.yaml:1: max_length",
         "has 2049 tokens, but the model's rotary embedding (rope_type: dynamic)",
         "set max_length to 2048");
}

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
         "128 of 1280 rows (10.0%) are truncated to 1024 tokens");
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

// Rows are counted where they are read, before some are held out.
TEST(DataChecks, PlainTextIsThatOfTheRowsBeforeSomeAreHeldOut) {
  TestedRun run;
  run.facts.train->kept = 1200;
  run.facts.evaluation = TestedRun::data(80);
  run.facts.evaluation->option = "test_split_size";
  run.facts.evaluation->conversations = 0;
  EXPECT_FALSE(run.find("rows_without_template"));
  run.facts.train->conversations = 1270;
  expect(run.find("rows_without_template"), Severity::warning, "--data", "train data: 10 of 1280");
}

TEST(DataChecks, TokensAcrossTheBoundary) {
  TestedRun run;
  run.facts.train->token_spans_boundary = 4;
  expect(run.find("token_spans_boundary"), Severity::warning, "boundary (default)", "4 of 1280");
}

TEST(DataChecks, WhatTheTemplateDoesToRows) {
  TestedRun run;
  run.facts.train->notes.add(3, {{RowNote::turn_left_out, "system: Be brief."}});
  run.facts.train->notes.add(4, {{RowNote::prompt_apart, ""}});
  expect(run.find("turn_left_out"), Severity::warning, "--data", "first: row 3, system: Be brief.");
  expect(run.find("prompt_apart"), Severity::note, "--data", "in 1 row ");
}

TEST(DataChecks, ColumnsThatNothingReads) {
  TestedRun run;
  EXPECT_FALSE(run.find("columns_unused"));
  run.facts.train->unused_columns.see(std::vector<std::string>{"id"});
  expect(run.find("columns_unused"), Severity::note, "--data", "id");
}

TEST(DataChecks, TheAdviceForDroppedRowsNamesTheOption) {
  TestedRun run;
  run.facts.train->drops.add(3, DropReason::truncated_response);
  run.facts.train->drop_advice = "--max_length 2048 keeps 1 of 1 whole";
  expect(run.find("rows_dropped"), Severity::note, "--data", "no response left",
         "--max_length 2048 keeps 1 of 1 whole");
}

TEST(DataChecks, LabelsOfOneKind) {
  TestedRun run({"--objective", "kto"});
  run.facts.train->labels = {600, 680};
  EXPECT_FALSE(run.find("one_label"));
  run.facts.train->labels = {1280, 0};
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

TEST(OptionChecks, ARecipeThatNamesNoObjective) {
  EXPECT_FALSE(TestedRun().find("objective_not_named"));
  TestedRun run;
  TrainRecipe recipe;
  OptionSet options("lmpo train", "");
  add_train_options(options, recipe);
  ASSERT_TRUE(options.read_arguments({"simpo.yaml"}));
  Findings findings;
  check_objective_named(RunFacts(recipe, setting_places(options)), findings);
  ASSERT_EQ(findings.all().size(), 1u);
  expect(findings.all()[0], Severity::note, "simpo.yaml", "lmpo trains lmpo", "--objective");
}

TEST(OptionChecks, OptionsWithoutEffect) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases = {
      {{"--eval_steps", "5"}, "eval_strategy is not 'steps'"},
      {{"--save_strategy", "epoch", "--save_steps", "5"}, "save_strategy is not 'steps'"},
      {{"--save_strategy", "no", "--save_total_limit", "2"}, "no checkpoints"},
      {{"--max_steps", "3", "--num_train_epochs", "1"}, "max_steps sets"},
      {{"--warmup_steps", "3", "--warmup_ratio", "0.1"}, "warmup_steps sets"},
      {{"--lr_scheduler_type", "constant", "--warmup_ratio", "0.1"}, "has no warm-up"},
      {{"--lr_scheduler_type", "constant", "--warmup_steps", "1"}, "has no warm-up"},
      {{"--train_sampling_strategy", "sequential", "--data_seed", "1"}, "keep the order"},
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
         "the model before training");
  TestedRun other({"--ref_model", "elsewhere"});
  expect(other.find("reference_unused"), Severity::warning, "--ref_model", "no reference model");
  other.facts.needs_reference = true;
  expect(other.find("reference"), Severity::note, "--ref_model", "elsewhere");
}

}  // namespace
}  // namespace lmpo::checks_test

// lmpo validate: what it finds in runs that are wrong, all at once.
#include "cli/testing/validate.h"

#include <cmath>

#include "io/safetensors.h"

namespace lmpo::validate_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Validate, ASoundRunIsReadyAndNothingIsWritten) {
  const Result result = run(words(model(), pairs()));
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("no errors"), HasSubstr("ready to train"),
                                HasSubstr("note: steps at --max_steps"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(result.err, "");
  EXPECT_FALSE(fs::exists(path("out")));
}

// One look shows every mistake, each with its place.
TEST_F(Validate, GoesOnAfterTheFirstError) {
  const fs::path recipe =
      write("r.yaml", "model: " + path("no_model").string() +
                          "\n"
                          "dataset: [" +
                          path("a.jsonl").string() + ", " + path("b.jsonl").string() +
                          "]\n"
                          "beta: -1\n"
                          "learning_rte: 1e-6\n"
                          "max_length: 100\n"
                          "max_prompt_length: 200\n"
                          "load_in_8bit: true\n"
                          "device: cuda:999\n"
                          "output_dir: " +
                          write("file", "").string() + "\n");
  const Report found = report({"validate", recipe.string(), "--seed", "x", "--no_such", "5"});
  EXPECT_EQ(found.exit_code, 2);
  const std::string file = recipe.string();
  expect_error(found, "option_unknown", "--no_such", "unknown option --no_such");
  expect_error(found, "option_invalid", file + ":3", "beta: a number > 0 was expected, not '-1'");
  expect_error(found, "options_contradict", file + ":6: max_prompt_length",
               "it must be smaller than max_length");
  expect_error(found, "model_missing", file + ":1: model_name_or_path", "no such folder");
  expect_error(found, "data_missing", file + ":2: dataset", "a.jsonl: there is no such file");
  expect_error(found, "device_unavailable", file + ":8: device", "");
  expect_error(found, "output_dir_unusable", file + ":9: output_dir", "is a file");
  EXPECT_THAT(found.content.dump(),
              AllOf(HasSubstr("did you mean 'learning_rate'?"), HasSubstr("a whole number"),
                    HasSubstr("b.jsonl"), HasSubstr("load_in_8bit")));
  EXPECT_GE(found.content["errors"], 10);
}

TEST_F(Validate, ARecipeThatIsNoYaml) {
  expect_error(report({"validate", write("r.yaml", "a: [\n").string()}), "recipe_unreadable",
               path("r.yaml").string(), "not valid YAML");
  expect_error(report({"validate", path("none.yaml").string()}), "recipe_unreadable",
               path("none.yaml").string(), "cannot be read");
  expect_error(report({"validate"}), "option_missing", "", "--model_name_or_path is needed");
}

TEST_F(Validate, WeightsThatAreNotFinite) {
  const fs::path folder = copy_of_model("model");
  std::string bytes = read_file(folder / "model.safetensors");
  const SafetensorsFile file(folder / "model.safetensors");
  const char* name = "model.layers.1.mlp.down_proj.weight";
  const float value = std::nanf("");
  bytes.replace(file.find(name)->begin + 40, sizeof value,
                std::string(reinterpret_cast<const char*>(&value), sizeof value));
  write_file_atomically(folder / "model.safetensors", bytes);
  expect_error(report_of(folder, pairs()), "weights_not_finite", "-m",
               std::string(name) + " (1 of");
}

TEST_F(Validate, PatternsThatFreezeNothing) {
  const fs::path folder = copy_of_model("model");
  expect_error(report_of(folder, pairs(), {"--freeze", "*.experts.*"}), "freeze_invalid",
               "--freeze", "matches no tensor of the model");
  EXPECT_EQ(report_of(folder, pairs(), {"--freeze", "*.mlp.*"}).exit_code, 0);
}

TEST_F(Validate, WeightsThatDoNotFitOrAreMissing) {
  const fs::path folder = copy_of_model("model");
  edit_json(folder / "config.json", [](ordered_json& config) { config["num_hidden_layers"] = 3; });
  const Report misfit = report_of(folder, pairs());
  expect_error(misfit, "weights_misfit", "-m", "the tensors do not fit");
  EXPECT_THAT(misfit.reason("weights_misfit"), Not(HasSubstr("\n")));
  fs::remove(folder / "model.safetensors");
  expect_error(report_of(folder, pairs()), "weights_missing", "-m", "no weights");
  // All else is checked all the same.
  const Report without = report_of(folder, pairs(), {"--without_weights"});
  EXPECT_EQ(without.exit_code, 0) << without.content.dump(1);
  ASSERT_NE(without.find("weights_missing"), nullptr);
  EXPECT_EQ(without.find("weights_missing")->at("severity"), "note");
  EXPECT_NE(without.find("memory"), nullptr);
  fs::remove(folder / "config.json");
  expect_error(report_of(folder, pairs()), "model_config_invalid", "-m", "config.json");
}

TEST_F(Validate, TokensThatTheModelLacks) {
  const fs::path folder = copy_of_model("model");
  std::int64_t size = 0;
  edit_json(folder / "config.json", [&](ordered_json& config) {
    size = config["vocab_size"].get<std::int64_t>() - 8;
    config["vocab_size"] = size;
  });
  fs::remove(folder / "model.safetensors");
  expect_error(report_of(folder, pairs(), {"--without_weights"}), "tokenizer_exceeds_embedding",
               "-m", fmt::format("only {} rows", size));
  write_file_atomically(folder / "tokenizer.json", "{}");
  expect_error(report_of(folder, pairs()), "tokenizer_unusable", "-m", "tokenizer.json");
}

TEST_F(Validate, TemplatesThatDoNotEndATurnOrDoubleBos) {
  const fs::path text = write("t.jinja",
                              "{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m.role }} "
                              "{{ m.content }} {% endfor %}"
                              "{% if add_generation_prompt %}assistant {% endif %}");
  const Report found = report_of(model(), pairs(), {"--chat_template", text.string()});
  EXPECT_THAT(found.names("warning"),
              ::testing::IsSupersetOf({"template_without_end_of_turn", "turn_without_end"}));
  EXPECT_EQ(found.exit_code, 0);
  // As the alignment handbook's recipes have it: the text itself.
  const Report inlined = report_of(
      model(), pairs(), {"--chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}"});
  EXPECT_TRUE(inlined.names("warning").contains("template_without_end_of_turn"));
  expect_error(report_of(model(), pairs(), {"--chat_template", "{% for %}{{ x }}"}),
               "tokenizer_unusable", "-m", "chat_template");
}

TEST_F(Validate, RowsAreCountedAsTrainingCountsThem) {
  const std::string rows = read_file(pairs());
  json same = json::parse(rows.substr(0, rows.find('\n')));
  same["rejected"] = same["chosen"];
  const fs::path data =
      write("rows.jsonl", rows + rows.substr(0, rows.find('\n')) + "\n" + same.dump() + "\n");
  const Report found = report_of(model(), data, {"--max_length", "12"});
  const Result trained = run(train(model(), data, {"--max_length", "12"}));
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto dropped = found.reason("rows_dropped");
  ASSERT_THAT(dropped, HasSubstr("1 of 50 rows (2.0%) are dropped"));
  EXPECT_THAT(trained.err, HasSubstr(dropped.substr(dropped.find("; ") + 2)));
  const auto cut = found.reason("rows_truncated");
  ASSERT_THAT(cut, HasSubstr(" of 49 rows"));
  const std::string count = cut.substr(12, cut.find(" of") - 12);  // "train data: 12 of ..."
  EXPECT_THAT(trained.err, HasSubstr(count + " rows truncated"));
  // Training says the same by itself, and nothing that is only a note.
  EXPECT_THAT(trained.err,
              AllOf(HasSubstr("warning: rows_duplicate (--data): train data: 1 of 49 rows"),
                    Not(HasSubstr("checkpoint_at_end_only"))));
}

TEST_F(Validate, DataThatCannotBeUsed) {
  expect_error(report_of(model(), write("bad.jsonl", "{\"prompt\": 1}\n")), "data_unreadable",
               "--data", "bad.jsonl:1");
  const json row = {{"prompt", "a"}, {"chosen", "b"}, {"rejected", "b"}};
  expect_error(report_of(model(), write("none.jsonl", row.dump() + "\n")), "no_usable_row",
               "--data", "identical responses 1");
  expect_error(report_of(model(), pairs(),
                         {"--gradient_accumulation_steps", "1000", "--dataloader_drop_last"}),
               "batch_exceeds_data", "--gradient_accumulation_steps", "less than one batch");
  const Report both = report_of(model(), pairs(), {"--eval_dataset", pairs().string()});
  EXPECT_TRUE(both.names("warning").contains("evaluation_in_training"));
}

TEST_F(Validate, RoomOfMemoryAndDisk) {
  expect_error(report_of(model(), pairs(), {"--max_memory", "1MB"}), "memory_too_small",
               "--max_memory", "are allowed");
  expect_error(report_of(model(), pairs(), {"--max_disk", "100KB"}), "disk_too_small",
               "--output_dir", "100 kB are free");
  fs::create_directories(path("out"));
  write("out/thesis.txt", "years of work");
  expect_error(report_of(model(), pairs()), "output_dir_unusable", "--output_dir",
               "the folder is not empty");
  expect_error(report_of(model(), pairs(), {"--resume"}), "checkpoint_missing", "--resume",
               "there is no checkpoint in");
}

TEST_F(Validate, AResumedRun) {
  ASSERT_EQ(run(train(model(), pairs())).exit_code, 0);
  const Report same = report_of(model(), pairs(), {"--resume"});
  EXPECT_EQ(same.exit_code, 0) << same.content.dump(1);
  expect_error(report_of(model(), world("held_out_preferences.jsonl"), {"--resume"}),
               "checkpoint_unusable", "--resume", "trained on other data");
}

TEST_F(Validate, TheReferenceOfAnObjectiveThatNeedsOne) {
  const Report own = report_of(model(), pairs(), {"--objective", "dpo"});
  EXPECT_EQ(own.exit_code, 0);
  EXPECT_TRUE(own.names("note").contains("reference"));
  expect_error(
      report_of(model(), pairs(), {"--objective", "dpo", "--ref_model", path("none").string()}),
      "reference_unusable", "--ref_model", path("none").string());
}

TEST_F(Validate, NamesCommandNoTerminal) {
  const fs::path recipe = write("a\x1b[31mb.yaml", "be\x1b[2Jta: 1\n\"x\\e]0;t\\a\": 2\n");
  for (const Words& more : {Words{}, Words{"--json"}}) {
    Words all = {"validate", recipe.string()};
    all.insert(all.end(), more.begin(), more.end());
    const Result result = run(all, {.environment = {{"COLUMNS", "20"}}});
    EXPECT_EQ(result.exit_code, 2);
    for (const char* forbidden : {"\x1b", "\x07"}) {
      EXPECT_THAT(result.out + result.err, Not(HasSubstr(forbidden)));
    }
  }
}

TEST_F(Validate, ADryRunTellsWhereEachSettingCameFrom) {
  const fs::path recipe = write("r.yaml", "learning_rate: 2e-6\nbeta: 3\nmax_steps: 3\nseed: 1\n");
  Words words = train(model(), pairs(), {recipe.string(), "--dry_run", "--seed", "7"});
  const Result result = run(words, {.environment = {{"LMPO_BETA", "2.5"}}});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto line_of = [&](const std::string& name) {
    const std::size_t at = result.out.find("\n  " + name + " ") + 1;
    return result.out.substr(at, result.out.find('\n', at) - at);
  };
  EXPECT_THAT(line_of("learning_rate"), AllOf(HasSubstr(" 2e-6 "), HasSubstr("r.yaml:1")));
  EXPECT_THAT(line_of("beta"), AllOf(HasSubstr(" 2.5 "), HasSubstr("LMPO_BETA")));
  EXPECT_THAT(line_of("seed"), AllOf(HasSubstr(" 7 "), HasSubstr("--seed")));
  EXPECT_THAT(line_of("adam_beta1"), AllOf(HasSubstr(" 0.9 "), HasSubstr("default")));
  EXPECT_THAT(result.out, AllOf(HasSubstr("weights"), HasSubstr("Time, estimated from "),
                                HasSubstr(" s each")));
  words.emplace_back("--no_time_estimate");
  const Result without = run(words);
  EXPECT_EQ(without.exit_code, 0) << without.err;
  EXPECT_THAT(without.out, Not(HasSubstr("Time, estimated")));
  EXPECT_FALSE(fs::exists(path("out")));
}

}  // namespace
}  // namespace lmpo::validate_test

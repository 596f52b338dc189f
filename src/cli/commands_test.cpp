// Each command does what its help says.
#include "cli/testing/commands.h"

namespace lmpo::commands_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(Commands, VersionAndHelp) {
  const Result version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, "lmpo " LMPO_VERSION "\n");
  EXPECT_EQ(version.err, "");
  for (const char* word : {"--help", "-h", "help"}) {
    const Result help = run({word});
    EXPECT_EQ(help.exit_code, 0);
    for (const char* command : {"train", "sft", "score", "generate", "pair", "tokenize", "init",
                                "merge", "export", "example", "env"}) {
      EXPECT_THAT(help.out, HasSubstr(fmt::format("\n  {} ", command)));
    }
  }
  const Result bare = run({});
  EXPECT_EQ(bare.exit_code, 2);
  EXPECT_THAT(bare.out, HasSubstr("usage: lmpo COMMAND"));
}

TEST_F(Commands, HelpOfTrainListsEveryOptionOfTheDocumentation) {
  const Result help = run({"train", "--help", "all"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  const Result table = run({"docs", "options"});
  int options = 0;
  for (std::size_t at = table.out.find("\n| `"); at != std::string::npos;
       at = table.out.find("\n| `", at + 1)) {
    const std::string name = table.out.substr(at + 4, table.out.find('`', at + 4) - at - 4);
    EXPECT_THAT(help.out, HasSubstr("--" + name));
    ++options;
  }
  EXPECT_GT(options, 50);
  EXPECT_THAT(help.out, ::testing::AllOf(HasSubstr("-m, --model_name_or_path, --model DIR"),
                                         HasSubstr("--dataset, --data, --datasets DATA"),
                                         HasSubstr("[default: 1e-6]"),
                                         HasSubstr("(env: LMPO_LEARNING_RATE)")));
}

TEST_F(Commands, EachCommandExplainsItself) {
  const std::vector<std::pair<const char*, std::vector<const char*>>> expected = {
      {"sft", {"--sft_on", "--dry_run", "[default: 2e-5]"}},
      {"score", {"--model", "--data", "--boundary", "--max_length", "--output"}},
      {"generate",
       {"--prompt ", "--prompts", "--temperature", "--top_k", "--top_p", "--seed",
        "--max_new_tokens", "--output"}},
      {"pair", {"--samples", "--scores", "--reward_model", "--output", "--dtype"}},
      {"tokenize", {"--decode", "--add_generation_prompt"}},
      {"init", {"--config", "--tokenizer", "--seed", "OUT"}},
      {"inspect", {"--rows", "--pack", "--max_pack_tokens", "--json", "--html", "WHAT"}},
      {"merge", {"MODEL", "--weights", "--alpha", "--output", "--dtype", "[default: equal]"}},
      {"export", {"--format", "--type", "--output", "--max_shard_size", "q8_0"}},
      {"example", {"--objective", "--seed", "OUT"}},
      {"env", {"--help"}}};
  for (const auto& [command, options] : expected) {
    const Result help = run({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_THAT(help.out, StartsWith(fmt::format("usage: lmpo {}", command)));
    for (const char* option : options) {
      EXPECT_THAT(help.out, HasSubstr(option)) << command;
    }
  }
}

TEST_F(Commands, EnvTellsWhatABugReportShould) {
  const Result env = run({"env"});
  EXPECT_EQ(env.exit_code, 0);
  for (const char* line : {"lmpo ", "compiler ", "system ", "processor ", "threads ", "memory "}) {
    EXPECT_THAT(env.out, HasSubstr(line));
  }
}

TEST_F(Commands, ResultsThatCannotBeWrittenAreAnError) {
  const std::string file = world("preferences.jsonl").string();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"score", "-m", model().string(), "--data", file},
        {"generate", "-m", model().string(), "--prompt", "first : cat"},
        {"tokenize", "-m", model().string()},
        {"--help"}}) {
    const Result result = run(command, {.input = "\"cat\"\n", .out_to = "/dev/full"});
    EXPECT_EQ(result.exit_code, 1) << command[0];
    EXPECT_THAT(result.err, HasSubstr("standard output")) << command[0];
  }
}

TEST_F(Commands, InitDependsOnTheSeedAlone) {
  const auto init = [&](const char* name, std::vector<std::string> more) {
    more.insert(more.begin(), {"init", "--config", world("config.json").string(), "--tokenizer",
                               world("").string(), path(name).string()});
    const Result result = run(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return read_file(path(name) / "model.safetensors");
  };
  const std::string first = init("a", {"--seed", "1"});
  EXPECT_TRUE(first == read_file(model() / "model.safetensors"));
  EXPECT_TRUE(first != init("b", {"--seed", "2"}));
  const std::string half = init("c", {"--seed", "1", "--dtype", "bfloat16"});
  EXPECT_LT(half.size(), first.size() * 6 / 10);
  EXPECT_EQ(json::parse(read_file(path("c") / "config.json"))["torch_dtype"], "bfloat16");
  for (const char* file : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
                           "config.json", "generation_config.json"}) {
    EXPECT_TRUE(fs::exists(path("a") / file)) << file;
  }
}

TEST_F(Commands, InitDoesNotTouchAFolderInUse) {
  write("kept", "as it was");
  const Result result = run({"init", "--config", world("config.json").string(), "--tokenizer",
                             world("").string(), folder_.string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("already exists; choose another name"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Commands, TrainTakesARecipeAndFlagsWinOverIt) {
  const fs::path recipe =
      write("recipe.yaml", "model_name_or_path: " + model().string() +
                               "\ndataset: " + world("preferences.jsonl").string() +
                               "\nobjective: simpo\nlearning_rate: 5e-4\nbeta: 3\n"
                               "save_strategy: no\nmax_steps: 7\nlogging_steps: 1\n"
                               "evaluation_strategy: 'no'\nbf16: true\n");
  const fs::path out = path("out");
  const Result result = run({"train", recipe.string(), "--beta=4", "--max-steps", "2", "-t", "1",
                             "--output_dir", out.string(), "--recompute", "none"},
                            {.environment = {{"LMPO_LEARNING_RATE", "2e-4"}}});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const json options = json::parse(read_file(out / "lmpo_run.json"))["options"];
  const auto value = [&](const char* name) { return options[name]["value"]; };
  EXPECT_EQ(value("objective"), "simpo");
  EXPECT_EQ(value("beta"), 4);
  EXPECT_EQ(value("learning_rate"), 2e-4);
  EXPECT_EQ(value("max_steps"), 2);
  EXPECT_EQ(value("dtype"), "bfloat16");
  EXPECT_EQ(value("save_strategy"), "no");
  EXPECT_EQ(value("recompute"), "none");
  EXPECT_EQ(options["objective"]["source"], "file");
  EXPECT_EQ(options["objective"]["place"], recipe.string() + ":3");
  EXPECT_EQ(options["learning_rate"]["source"], "environment");
  EXPECT_EQ(options["beta"]["source"], "flag");
  EXPECT_EQ(options["adam_beta2"]["source"], "default");
  // An older name is taken with a notice.
  EXPECT_THAT(result.err, HasSubstr("evaluation_strategy"));
  EXPECT_EQ(json::parse(read_file(out / "trainer_state.json"))["global_step"], 2);
}

TEST_F(Commands, SftTrainsOnAnswers) {
  const fs::path out = path("out");
  const Result result =
      run({"sft", "-m", model().string(), "--data", world("answers.jsonl").string(), "--output_dir",
           out.string(), "--max_steps", "12", "--logging_steps", "1", "--learning_rate", "1e-2",
           "--save_strategy", "no", "-t", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json history = json::parse(read_file(out / "trainer_state.json"))["log_history"];
  EXPECT_LT(history[11]["loss"].get<double>(), 0.7 * history[0]["loss"].get<double>());
  EXPECT_TRUE(history[0].contains("nll_loss"));
  // What it wrote is a model again.
  const Result answer = run({"generate", "-m", out.string(), "--prompt", "first : cat moon",
                             "--max_new_tokens", "3", "-t", "1"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
}

// Of a configuration alone, and each group adds to the whole.
TEST_F(Commands, PlanNeedsNoWeights) {
  const fs::path config = model() / "config.json";
  const std::vector<std::string> words = {
      "plan",         "-m", config.string(), "--prompt_tokens", "20", "--response_tokens", "10",
      "--max_memory", "1TB"};
  const Result table = run(words);
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("activations"), HasSubstr("gradients"), HasSubstr("total"),
                               HasSubstr("  fits\n")));
  const auto ways_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> as_json = words;
    as_json.push_back("--json");
    as_json.insert(as_json.end(), more.begin(), more.end());
    return json::parse(run(as_json).out);
  };
  const json ways = ways_of({});
  ASSERT_EQ(ways.size(), 9u);  // as asked, one pair, two of recompute, three of optim, dtype, all
  for (const json& way : ways) {
    std::size_t sum = 0;
    for (const auto& [group, bytes] : way["at_peak"].items()) {
      sum += bytes.get<std::size_t>();
    }
    EXPECT_EQ(sum, way["arena"]);
    if (way["dtype"] == "auto") {  // float32; in bfloat16 a copy of the weights comes and goes
      EXPECT_LE(way["arena"], ways[0]["arena"]);
    }
    EXPECT_EQ(way["disk"].get<std::size_t>() > 0, way["optim"].get<std::string>()[0] == 'p');
  }
  const json cuda = ways_of({"--device", "cuda"});
  EXPECT_LT(cuda[0]["at_peak"]["activations"], ways[0]["at_peak"]["activations"]);
}

TEST_F(Commands, BenchMeasuresAStep) {
  const std::vector<std::string> words = {
      "bench", "-m", model().string(), "--steps", "1", "-t", "1", "--gradient_accumulation_steps",
      "1"};
  std::vector<std::string> real = words;
  real.insert(real.end(), {"--data", world("preferences.jsonl").string(), "--json"});
  const Result result = run(real);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json measured = json::parse(result.out);
  EXPECT_GT(measured["share_of_product_rate"], 0);
  EXPECT_GT(measured["parts"]["MLP"]["backward"]["operations"],
            measured["parts"]["MLP"]["forward"]["operations"]);
  const Result table = run(words);
  ASSERT_EQ(table.exit_code, 0) << table.err;
  for (const char* part : {"attention output", "optimizer", "waiting", "pairs/s"}) {
    EXPECT_THAT(table.out, HasSubstr(part));
  }
}

TEST_F(Commands, ADryRunShowsThePlanAndWritesNothing) {
  const fs::path out = path("out");
  const Result result =
      run({"train", "-m", model().string(), "--data", world("preferences.jsonl").string(),
           "--output_dir", out.string(), "--dry_run"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, ::testing::AllOf(HasSubstr("weights"), HasSubstr("total")));
  EXPECT_THAT(result.err, HasSubstr("6 steps of 8 examples"));
  EXPECT_FALSE(fs::exists(out));
}

// A dataset folder, a mixture of two sources, held-out rows and kept tokens, in one recipe.
TEST_F(Commands, TrainReadsDatasetFoldersAndKeepsTheirTokens) {
  fs::create_directories(path("set/data"));
  fs::copy_file(world("preferences.jsonl"), path("set/data/train_prefs-00000-of-00001.jsonl"));
  write("set/data/test_prefs-00000-of-00001.jsonl", "not read\n");
  const fs::path recipe = write(
      "mixed.yaml", "model: " + model().string() + "\ndataset_mixer:\n  " + path("set").string() +
                        ": 0.25\n  " + world("preferences.jsonl").string() +
                        ": 0.1\ntest_split_size: 10\n"
                        "dataset_train_split: train_prefs\n"
                        "max_steps: 1\neval_strategy: epoch\n");
  const auto train = [&](const std::string& out) {
    return run({"train", recipe.string(), "-t", "1", "--output_dir", path(out).string(),
                "--token_cache", path("tokens").string()});
  };
  const Result first = train("first");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("evaluation data: 10 rows held out of the training data"));
  EXPECT_THAT(first.err, Not(HasSubstr("tokens of an earlier start")));
  const Result second = train("second");
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("tokens of an earlier start: "));
  EXPECT_EQ(read_file(path("first/model.safetensors")),
            read_file(path("second/model.safetensors")));

  // A file that was changed there is not trusted.
  for (const auto& entry : fs::directory_iterator(path("tokens"))) {
    std::string content = read_file(entry.path());
    content[content.size() / 2] ^= 1;
    write_file_atomically(entry.path(), content);
  }
  const Result third = train("third");
  ASSERT_EQ(third.exit_code, 0) << third.err;
  EXPECT_THAT(third.err, HasSubstr("its checksum is wrong"));
  EXPECT_EQ(read_file(path("first/model.safetensors")), read_file(path("third/model.safetensors")));
}

}  // namespace
}  // namespace lmpo::commands_test

// Each command does what its help says.
#include <cmath>
#include <cstring>
#include <set>

#include "cli/testing/program.h"

namespace lmpo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) {
    names.push_back(name);
  }
  return names;
}

json turn(const char* role, const char* content) {
  return {{"role", role}, {"content", content}};
}

class Commands : public ProgramTest {
 protected:
  static std::vector<json> tokenize(const std::string& input, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"tokenize", "-m", model().string()});
    const Result result = run(more, {.input = input});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }

  static std::vector<json> generate(std::vector<std::string> more, const std::string& input = "") {
    more.insert(more.begin(),
                {"generate", "-m", model().string(), "--max_new_tokens", "12", "-t", "1"});
    const Result result = run(more, {.input = input});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }

  static std::vector<json> score(const fs::path& model, const fs::path& data,
                                 std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"score", "--model", model.string(), "--data", data.string()});
    const Result result = run(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json_lines(result.out);
  }
};

// --- the program itself

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
  EXPECT_THAT(help.out,
              testing::AllOf(HasSubstr("-m, --model_name_or_path, --model DIR"),
                             HasSubstr("--dataset, --data, --datasets DATA"),
                             HasSubstr("[default: 1e-6]"), HasSubstr("(env: LMPO_LEARNING_RATE)")));
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

// --- tokenize

TEST_F(Commands, TokenizeRoundTrip) {
  const std::vector<std::string> texts = {" cat moon", "Grüße, 世界! 🦙", "", "a\nb\tc\"\\"};
  std::string input;
  for (const std::string& text : texts) {
    input += json(text).dump() + "\n";
  }
  const std::vector<json> encoded = tokenize(input);
  ASSERT_EQ(encoded.size(), texts.size());
  std::string ids;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_THAT(keys(encoded[i]), testing::UnorderedElementsAre("text", "ids"));
    EXPECT_EQ(encoded[i]["text"], texts[i]);
    ids += encoded[i]["ids"].dump() + "\n";
  }
  EXPECT_EQ(encoded[0]["ids"].size(), 2U);  // whole words are tokens of this world
  const std::vector<json> decoded = tokenize(ids, {"--decode"});
  ASSERT_EQ(decoded.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(decoded[i], encoded[i]);
  }
}

TEST_F(Commands, TokenizeRendersConversations) {
  const std::string chat = json::array({turn("user", "first : cat moon")}).dump() + "\n";
  const std::string shown = "<|begin|><|user|> first : cat moon<|end|>";
  const json closed = tokenize(chat)[0];
  const json open = tokenize(chat, {"--add_generation_prompt"})[0];
  EXPECT_EQ(closed["text"], shown);
  EXPECT_EQ(open["text"], shown + "<|assistant|>");
  EXPECT_EQ(closed["ids"][0], 0);
  EXPECT_EQ(open["ids"].size(), closed["ids"].size() + 1);
  const json bare = tokenize(open["ids"].dump() + "\n", {"--decode", "--skip_special_tokens"})[0];
  EXPECT_EQ(bare["text"], " first : cat moon");
}

TEST_F(Commands, TokenizeNamesTheLineOfAMistake) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"\"cat\"\n{\"text\": 1}\n", "standard input, line 2: a string or a list of chat messages"},
      {"\"cat\"\n\n\"cat\n", "standard input, line 3: not valid JSON"},
      {"[3]\n", "standard input, line 1: a list of messages was expected"}};
  for (const auto& [input, message] : mistakes) {
    const Result result = run({"tokenize", "-m", model().string()}, {.input = input});
    EXPECT_EQ(result.exit_code, 2) << input;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  for (const char* ids : {"[-1]", "[1e9]", "[99999999]", "[\"cat\"]", "null"}) {
    const Result result =
        run({"tokenize", "-m", model().string(), "--decode"}, {.input = std::string(ids) + "\n"});
    EXPECT_EQ(result.exit_code, 2) << ids;
    EXPECT_THAT(result.err, HasSubstr("line 1: a list of token ids from 0 to"));
  }
}

// --- init

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
  EXPECT_THAT(result.err, HasSubstr("the folder is not empty"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

// --- score

TEST_F(Commands, ScoreWritesOneObjectARow) {
  const fs::path data = world("preferences.jsonl");
  const std::vector<json> scores = score(model(), data);
  ASSERT_EQ(scores.size(), 48U);
  for (std::size_t row = 0; row < scores.size(); ++row) {
    EXPECT_THAT(keys(scores[row]),
                testing::UnorderedElementsAre("row", "prompt_tokens", "chosen_tokens",
                                              "rejected_tokens", "chosen_logp", "rejected_logp"));
    EXPECT_EQ(scores[row]["row"], row);
    EXPECT_LT(scores[row]["chosen_logp"].get<double>(), 0);
  }
  const fs::path file = path("scores.jsonl");
  const Result quiet = run({"score", "-m", model().string(), "--data", data.string(), "--output",
                            file.string(), "--per_device_eval_batch_size", "3"});
  EXPECT_EQ(quiet.exit_code, 0) << quiet.err;
  EXPECT_EQ(quiet.out, "");
  const std::vector<json> again = json_lines(read_file(file));
  ASSERT_EQ(again.size(), scores.size());
  double right = 0;
  double per_token = 0;
  for (const json& line : scores) {
    const double chosen = line["chosen_logp"].get<double>();
    right += chosen > line["rejected_logp"].get<double>() ? 1.0 / 48 : 0;
    per_token += chosen / line["chosen_tokens"].get<double>() / 48;
  }
  const json summary = json::parse(read_file(path("scores.summary.json")));
  EXPECT_EQ(summary["scored"], 48);
  EXPECT_NEAR(summary["accuracy/sum"].get<double>(), right, 1e-9);
  EXPECT_NEAR(summary["logps_per_token/chosen"].get<double>(), per_token, 1e-4);
  EXPECT_THAT(quiet.err, AllOf(HasSubstr("48 rows: 48 scored, 0 dropped"), HasSubstr("margin of"),
                               HasSubstr("mean length")));
  for (std::size_t row = 0; row < scores.size(); ++row) {
    for (const char* key : {"chosen_logp", "rejected_logp"}) {
      EXPECT_NEAR(again[row][key].get<double>(), scores[row][key].get<double>(), 1e-4);
    }
  }
}

// Finite weights whose products are not: those of the last norm are the largest there are.
TEST_F(Commands, ScoresThatAreNotFiniteAreAnError) {
  const fs::path folder = copy_of_model("huge");
  std::string file = read_file(folder / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const json offsets = json::parse(file.substr(8, length))["model.norm.weight"]["data_offsets"];
  const float large = 3e38F;
  for (auto at = offsets[0].get<std::size_t>(); at < offsets[1].get<std::size_t>();
       at += sizeof large) {
    std::memcpy(file.data() + 8 + length + at, &large, sizeof large);
  }
  write_file_atomically(folder / "model.safetensors", file);
  const Result result =
      run({"score", "-m", folder.string(), "--data", world("preferences.jsonl").string(),
           "--output", path("scores.jsonl").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("rows 0, 1, 2, "), HasSubstr("and 28 more (counted from 0)"),
                    HasSubstr("are not finite, so no scores are written")));
  EXPECT_FALSE(fs::exists(path("scores.jsonl")));
  EXPECT_FALSE(fs::exists(path("scores.summary.json")));
}

// The assistant's header is prompt with one boundary and response with the other.
TEST_F(Commands, ScoreKnowsBothBoundaries) {
  const json row = {{"prompt", {turn("user", "first : cat moon")}},
                    {"chosen", {turn("assistant", "cat .")}},
                    {"rejected", {turn("assistant", "the answer is moon .")}}};
  const fs::path data = write("pair.jsonl", row.dump() + "\n");
  const auto tokens = [](const json& messages) {
    return static_cast<std::int64_t>(tokenize(messages.dump() + "\n")[0]["ids"].size());
  };
  const std::int64_t prompt = tokens(row["prompt"]);
  json chosen = row["prompt"];
  chosen.push_back(row["chosen"][0]);
  json rejected = row["prompt"];
  rejected.push_back(row["rejected"][0]);
  for (const auto& [boundary, header] : {std::pair("trl", 1), std::pair("simpo", 0)}) {
    const json line = score(model(), data, {"--boundary", boundary})[0];
    EXPECT_EQ(line["prompt_tokens"], prompt + header) << boundary;
    EXPECT_EQ(line["chosen_tokens"], tokens(chosen) - prompt - header) << boundary;
    EXPECT_EQ(line["rejected_tokens"], tokens(rejected) - prompt - header) << boundary;
  }
}

// Where all weights are zero every token is as likely as any other.
TEST_F(Commands, ScoreOfAModelWithoutWeights) {
  const fs::path config = write("config.json", read_file(world("config.json")));
  edit_json(config, [](ordered_json& content) { content["initializer_range"] = 0.0; });
  const Result made = run({"init", "--config", config.string(), "--tokenizer", world("").string(),
                           path("zero").string()});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const double token = -std::log(json::parse(read_file(config))["vocab_size"].get<double>());
  for (const json& line : score(path("zero"), world("preferences.jsonl"))) {
    EXPECT_NEAR(line["chosen_logp"].get<double>(), token * line["chosen_tokens"].get<double>(),
                1e-4);
    EXPECT_NEAR(line["rejected_logp"].get<double>(), token * line["rejected_tokens"].get<double>(),
                1e-4);
  }
}

TEST_F(Commands, ScoreTellsWhyARowIsDropped) {
  const fs::path data =
      write("pairs.jsonl",
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" moon .\"}\n"
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" cat .\"}\n"
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \"  \"}\n"
            "{\"prompt\": \"first : \xC3\", \"chosen\": \" cat .\", \"rejected\": \" moon\"}\n"
            "{\"chosen\": [{\"role\": \"assistant\", \"content\": \"cat\"}], "
            "\"rejected\": [{\"role\": \"assistant\", \"content\": \"moon\"}]}\n"
            "{\"prompt\": \"cat cat cat cat cat cat cat cat\", \"chosen\": \" a\", "
            "\"rejected\": \" b\"}\n");
  const std::vector<json> lines = score(model(), data, {"--max_length", "8"});
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_TRUE(lines[0].contains("chosen_logp"));
  const std::vector<const char*> reasons = {"identical responses", "empty response",
                                            "invalid UTF-8", "empty prompt",
                                            "no response left after truncation"};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    EXPECT_EQ(lines[i + 1], (json{{"row", i + 1}, {"dropped", reasons[i]}}));
  }
}

// --- generate

TEST_F(Commands, GenerateWritesOneObjectAPrompt) {
  const std::vector<json> lines =
      generate({"--prompt", "first : cat moon", "--prompt", "last : red"});
  ASSERT_EQ(lines.size(), 2U);
  for (const json& line : lines) {
    EXPECT_THAT(keys(line),
                testing::UnorderedElementsAre("index", "prompt", "output", "prompt_tokens",
                                              "output_tokens", "finish_reason"));
    EXPECT_LE(line["output_tokens"].get<int>(), 12);
    EXPECT_EQ(line["finish_reason"], line["output_tokens"] == 12 ? "length" : "stop");
  }
  EXPECT_EQ(lines[0]["prompt"], "first : cat moon");
  const std::string chat = json::array({turn("user", "first : cat moon")}).dump() + "\n";
  EXPECT_EQ(lines[0]["prompt_tokens"],
            tokenize(chat, {"--add_generation_prompt"})[0]["ids"].size());
}

TEST_F(Commands, GenerateAnswersTheSameWhereverPromptsComeFrom) {
  const std::vector<json> flags =
      generate({"--prompt", "first : cat moon", "--prompt", "last : red"});
  EXPECT_EQ(generate({}, "first : cat moon\nlast : red\n"), flags);
  const fs::path text = write("prompts.txt", "first : cat moon\r\n\nlast : red");
  EXPECT_EQ(generate({"--prompts", text.string()}), flags);
  const fs::path lines =
      write("prompts.jsonl", "\"first : cat moon\"\n{\"prompt\": \"last : red\"}\n");
  EXPECT_EQ(generate({"--prompts", lines.string()}), flags);
  const fs::path list =
      write("prompts.json", "[{\"instruction\": \"first : cat moon\"}, \"last : red\"]");
  EXPECT_EQ(generate({"--prompts", list.string()}), flags);
  const fs::path chats =
      write("chats.jsonl", json::array({turn("user", "first : cat moon")}).dump() + "\n");
  EXPECT_EQ(generate({"--prompts", chats.string()})[0]["output"], flags[0]["output"]);
}

TEST_F(Commands, GenerateTakesPromptsAsTheyAre) {
  for (const char* prompt : {"well, cat", "null", "a=b"}) {
    const std::vector<json> lines = generate({"--prompt", prompt});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0]["prompt"], prompt);
  }
}

TEST_F(Commands, GenerateIsGreedyUnlessTold) {
  const std::vector<std::string> prompt = {"--prompt", "first : cat moon", "--prompt", "last : a"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), prompt.begin(), prompt.end());
    return generate(more);
  };
  const auto greedy = with({});
  EXPECT_EQ(with({"--seed", "5"}), greedy);
  EXPECT_EQ(with({"--temperature", "1", "--top_k", "1"}), greedy);
  EXPECT_EQ(with({"--batch_size", "1"}), greedy);
  const auto drawn = with({"--temperature", "1", "--seed", "5"});
  EXPECT_NE(drawn, greedy);
  EXPECT_EQ(with({"--temperature", "1", "--seed", "5"}), drawn);
  EXPECT_EQ(with({"--temperature", "1", "--seed", "5", "--batch_size", "1"}), drawn);
  EXPECT_NE(with({"--temperature", "1", "--seed", "6"}), drawn);
}

TEST_F(Commands, GenerateNamesWhatIsWrongWithPrompts) {
  const std::string folder = model().string();
  const Result none = run({"generate", "-m", folder});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no prompt: give --prompt, --prompts FILE"));
  const fs::path lines = write("prompts.jsonl", "\"cat\"\n{\"promt\": \"cat\"}\n");
  const Result row = run({"generate", "-m", folder, "--prompts", lines.string()});
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.err, HasSubstr("prompts.jsonl:2: a string, a list of messages, or an object"));
  const Result empty = run({"generate", "-m", folder, "--no_chat_template", "--prompt", ""});
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("--prompt '' is empty"));
}

// --- train and sft: what is in force

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
  EXPECT_THAT(result.out, testing::AllOf(HasSubstr("weights"), HasSubstr("total")));
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
}  // namespace lmpo

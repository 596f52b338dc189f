// What a person sees of a training run while it goes on, and can tell it: the moving bar, samples,
// signals, and files that grow.
#include <csignal>
#include <set>

#include "cli/testing/program.h"
#include "cli/testing/terminal.h"

namespace lmpo::watch_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kWeights = "model.safetensors";

class Watching : public ProgramTest {
 protected:
  static Words with_evaluation(Words words, const std::string& steps, const Words& more = {}) {
    for (const std::string& word :
         {std::string("--eval_dataset"), world("held_out_preferences.jsonl").string(),
          std::string("--eval_strategy"), std::string("steps"), std::string("--eval_steps"),
          steps}) {
      words.push_back(word);
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // The states of the bar of training, as they were drawn.
  static std::vector<std::string> bars(const std::string& written) {
    const auto is_bar =
        testing::Matches(::testing::MatchesRegex("(training )?[0-9]+/[0-9]+( .*)?"));
    std::vector<std::string> found;
    for (const std::string& line : drawn_lines(written)) {
      if (is_bar(line)) {
        found.push_back(line);
      }
    }
    return found;
  }
  static std::int64_t width(const std::string& line) {
    return std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
  }

  static std::vector<fs::path> event_files(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
        found.push_back(entry.path());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

TEST_F(Watching, ABarOnATerminal) {
  TerminalProgram program(training(path("out"), {"--max_steps", "40"}), {.columns = 100});
  EXPECT_EQ(program.wait(), 0) << program.written();
  const std::vector<std::string> drawn = bars(program.written());
  ASSERT_GT(drawn.size(), 1U) << program.written();
  EXPECT_THAT(drawn.front(), HasSubstr("training 0/40 "));  // before the first step
  for (const std::string& bar : drawn) {
    EXPECT_LT(width(bar), 100);
    if (bar.find(" 0/40 ") == std::string::npos) {
      EXPECT_THAT(bar, AllOf(HasSubstr("/40 "), HasSubstr(" loss "), HasSubstr(" acc "),
                             HasSubstr(" pairs/s "), HasSubstr(" tokens/s "), HasSubstr(" left")));
    }
  }
  EXPECT_THAT(program.written(), HasSubstr("\x1b[32m"));
  EXPECT_TRUE(program.written().ends_with("training_curves.svg\r\n"))
      << program.written();  // it is gone
}

TEST_F(Watching, ATerminalOfTwentyColumns) {
  TerminalProgram program(with_evaluation(training(path("out"), {"--max_steps", "40"}), "20"),
                          {.columns = 20});
  EXPECT_EQ(program.wait(), 0) << program.written();
  const std::vector<std::string> drawn = bars(program.written());
  ASSERT_FALSE(drawn.empty()) << program.written();
  for (const std::string& bar : drawn) {
    EXPECT_LT(width(bar), 20) << bar;
    EXPECT_THAT(bar, ContainsRegex("[0-9]+/[0-9]+ [━─]"));
  }
}

TEST_F(Watching, TheBarFollowsTheWindow) {
  TerminalProgram program(training(path("out"), {"--max_steps", "2000"}), {.columns = 120});
  ASSERT_TRUE(program.read_until(" left"));
  program.resize({.columns = 30});
  const std::size_t before = program.written().size();
  // What was on its way is wide; of what is drawn a while later, nothing.
  ASSERT_TRUE(program.read_until("step 400/2000"));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  const std::vector<std::string> drawn = bars(program.written().substr(before));
  ASSERT_GT(drawn.size(), 4U);
  for (std::size_t i = drawn.size() / 2; i < drawn.size(); ++i) {
    EXPECT_LT(width(drawn[i]), 30) << drawn[i];
  }
}

TEST_F(Watching, TerminalsThatCanDoLess) {
  const Words words = training(path("out"), {"--max_steps", "20", "--overwrite_output_dir"});
  TerminalProgram plain(words, {.columns = 100}, {.environment = {{"NO_COLOR", "1"}}});
  EXPECT_EQ(plain.wait(), 0);
  EXPECT_FALSE(bars(plain.written()).empty());
  EXPECT_THAT(plain.written(), Not(ContainsRegex("\x1b\\[[0-9;]*m")));

  TerminalProgram ascii(words, {.columns = 100}, {.environment = {{"LC_ALL", "C"}}});
  EXPECT_EQ(ascii.wait(), 0);
  EXPECT_THAT(bars(ascii.written()), Contains(HasSubstr("-- loss")));

  for (const auto& [without, environment] :
       {std::pair<Words, std::pair<std::string, std::string>>{{}, {"TERM", "dumb"}},
        {{"--disable_tqdm"}, {"TERM", "xterm"}}}) {
    Words more = words;
    more.insert(more.end(), without.begin(), without.end());
    TerminalProgram none(more, {.columns = 100}, {.environment = {environment}});
    EXPECT_EQ(none.wait(), 0);
    EXPECT_TRUE(bars(none.written()).empty()) << none.written();
    EXPECT_THAT(none.written(), HasSubstr("step 20/20  loss"));
  }
}

TEST_F(Watching, PlainLinesElsewhere) {
  const Result result = run(training(path("out"), {"--max_steps", "3"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("\nstep 2/3  loss"), Not(HasSubstr("\x1b")), Not(HasSubstr("\r"))));
}

TEST_F(Watching, Sigusr1SavesAndGoesOn) {
  const Words options = {"--max_steps", "200", "--save_strategy", "no"};
  ASSERT_EQ(run(training(path("whole"), options)).exit_code, 0);
  Program program(training(path("out"), options));
  ASSERT_TRUE(program.read_until("step 9/200"));
  program.signal(SIGUSR1);
  const Result result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::size_t end = result.err.find(": checkpoint saved (SIGUSR1)");
  ASSERT_NE(end, std::string::npos) << result.err;
  const std::size_t begin = result.err.rfind("step ", end) + 5;
  const fs::path checkpoint = path("out") / ("checkpoint-" + result.err.substr(begin, end - begin));
  EXPECT_TRUE(fs::exists(checkpoint / "lmpo_state.json"));
  EXPECT_TRUE(read_file(path("out") / kWeights) == read_file(path("whole") / kWeights));
}

TEST_F(Watching, Sigusr2Evaluates) {
  const Words options = {"--max_steps",     "200",
                         "--save_strategy", "no",
                         "--eval_dataset",  world("held_out_preferences.jsonl").string()};
  ASSERT_EQ(run(training(path("whole"), options)).exit_code, 0);
  Program program(training(path("out"), options));
  ASSERT_TRUE(program.read_until("step 9/200"));
  program.signal(SIGUSR2);
  const Result result = program.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  int evaluations = 0;
  for (const json& line : json_lines(read_file(path("out") / "trainer_log.jsonl"))) {
    evaluations += line.contains("eval_loss") ? 1 : 0;
  }
  EXPECT_EQ(evaluations, 2);  // and the one at the end
  EXPECT_TRUE(read_file(path("out") / kWeights) == read_file(path("whole") / kWeights));
}

TEST_F(Watching, SamplesAreWhatTheModelWouldAnswer) {
  const fs::path out = path("out");
  const Result result = run(with_evaluation(training(out, {"--max_steps", "6"}), "3",
                                            {"--eval_samples", "4", "--eval_sample_tokens", "20"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<json> samples = json_lines(read_file(out / "eval_samples.jsonl"));
  ASSERT_EQ(samples.size(), 8U);  // at steps 3 and 6
  const Result answered =
      run({"generate", "-m", out.string(), "--prompts",
           world("held_out_preferences.jsonl").string(), "--max_new_tokens", "20"});
  const std::vector<json> answers = json_lines(answered.out);
  ASSERT_EQ(answers.size(), 8U);
  for (std::size_t i = 0; i < 4; ++i) {
    const json& sample = samples[4 + i];
    EXPECT_EQ(samples[i]["step"], 3);
    EXPECT_EQ(sample["step"], 6);
    EXPECT_EQ(sample["index"], i);
    EXPECT_EQ(sample["prompt"], samples[i]["prompt"]);
    const json& answer = answers[2 * i];
    EXPECT_EQ(sample["messages"], answer["prompt"]);
    EXPECT_THAT(sample["prompt"].get<std::string>(),
                HasSubstr(answer["prompt"].is_string()
                              ? answer["prompt"].get<std::string>()
                              : answer["prompt"].back()["content"].get<std::string>()));
    EXPECT_EQ(sample["response"], answer["output"]);
    EXPECT_EQ(sample["tokens"], answer["output_tokens"]);
    EXPECT_EQ(sample["finish_reason"], answer["finish_reason"]);
  }
  EXPECT_THAT(result.err, HasSubstr("\n  sample 0  "));
}

TEST_F(Watching, SamplesChangeNothing) {
  std::set<std::string> weights;
  std::set<std::string> states;
  for (const char* samples : {"0", "1", "5"}) {
    for (const char* dtype : {"float32", "bfloat16"}) {
      const fs::path out = path(fmt::format("out-{}-{}", samples, dtype));
      const Result result =
          run(with_evaluation(training(out, {"--max_steps", "9", "--dtype", dtype}), "2",
                              {"--eval_samples", samples, "--eval_sample_tokens", "30"}));
      ASSERT_EQ(result.exit_code, 0) << result.err;
      EXPECT_EQ(fs::exists(out / "eval_samples.jsonl"), std::string(samples) != "0");
      weights.insert(read_file(out / kWeights));
      states.insert(read_file(out / "checkpoint-9/trainer_state.json"));
    }
  }
  EXPECT_EQ(weights.size(), 2U);  // one for each type
  EXPECT_EQ(states.size(), 2U);
}

// Texts from data can command neither the terminal nor a reader of the files.
TEST_F(Watching, SamplesOfHostileTexts) {
  std::string rows;
  for (int i = 0; i < 8; ++i) {
    rows += json({{"prompt", fmt::format("<b>{}\x1b[31m\x07\x9b", i)},
                  {"chosen", "\x1b]0;title\x07"},
                  {"rejected", "<script>"}})
                .dump(-1, ' ', true, json::error_handler_t::replace) +
            "\n";
  }
  const fs::path data = write("hostile.jsonl", rows);
  Words words = training(path("out"), {"--max_steps", "2", "--eval_strategy", "steps",
                                       "--eval_steps", "1", "--eval_dataset", data.string()});
  words[4] = data.string();
  TerminalProgram program(words, {.columns = 400});
  EXPECT_EQ(program.wait(), 0) << program.written();
  EXPECT_THAT(drawn_lines(program.written()), Contains(HasSubstr("sample 0")));
  EXPECT_THAT(program.written(), AllOf(HasSubstr("\\x1b[31m\\x07"), Not(HasSubstr("\x07"))));
  const std::vector<json> samples = json_lines(read_file(path("out") / "eval_samples.jsonl"));
  EXPECT_THAT(samples[0]["prompt"].get<std::string>(), HasSubstr("\x1b[31m"));  // a file is data
}

TEST_F(Watching, AResumedRunGoesOnInTheSameFolder) {
  const Words options = {"--max_steps", "40", "--save_steps", "10"};
  const Words whole = with_evaluation(training(path("whole"), options), "4");
  const Words broken = with_evaluation(training(path("out"), options), "4");
  ASSERT_EQ(run(whole).exit_code, 0);
  {
    Program program(broken);
    ASSERT_TRUE(program.read_until("step 17/40"));
    program.signal(SIGKILL);
    program.wait();
  }
  Words resumed = broken;
  resumed.emplace_back("--resume");
  const Result result = run(resumed);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_file(path("out") / "eval_samples.jsonl"),
            read_file(path("whole") / "eval_samples.jsonl"));
  const std::vector<fs::path> files = event_files(path("out") / "runs");
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].parent_path(), files[1].parent_path());
}

TEST_F(Watching, EventFilesAreWhereAndWhatTheUserSays) {
  const Words options = {"--max_steps", "2", "--logging_dir", path("logs").string()};
  ASSERT_EQ(run(training(path("out"), options)).exit_code, 0);
  EXPECT_EQ(event_files(path("logs")).size(), 1U);
  EXPECT_FALSE(fs::exists(path("out") / "runs"));
  const auto none = run(training(path("none"), {"--max_steps", "2", "--report_to", "none"}));
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_FALSE(fs::exists(path("none") / "runs"));
  const auto service = run(training(path("service"), {"--max_steps", "2", "--report_to", "wandb"}));
  EXPECT_THAT(service.err, HasSubstr("--report_to: nothing is sent to wandb; event files for "
                                     "TensorBoard are written instead"));
  EXPECT_EQ(event_files(path("service")).size(), 1U);
  const auto wrong =
      run(training(path("wrong"), {"--max_steps", "2", "--report_to", "tensorbord"}));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("'tensorbord': tensorboard or none was expected"));
}

// Files that grow reach a limit, as on a full disk; those of a checkpoint still fit.
TEST_F(Watching, ADiskThatFillsWhileLogging) {
  const fs::path out = path("out");
  const Words options = {"--max_steps", "6", "--save_steps", "3"};
  ASSERT_EQ(run(training(path("whole"), options)).exit_code, 0);
  ASSERT_EQ(run(training(out, {"--max_steps", "6", "--save_steps", "3"})).exit_code, 0);
  fs::remove_all(out / "checkpoint-6");
  const std::size_t limit = fs::file_size(out / "checkpoint-3/optimizer.safetensors") + 100'000;
  const json padded = {{"current_steps", 1}, {"padding", std::string(limit, 'x')}};
  const std::string full = padded.dump() + "\n";
  write_file_atomically(out / "trainer_log.jsonl", full);
  Words resumed = training(out, options);
  for (const std::string& word :
       {std::string("--resume"), std::string("--logging_dir"), std::string("/dev/full/runs")}) {
    resumed.push_back(word);
  }
  const Result result = run(resumed, {.largest_file = limit});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("trainer_log.jsonl: writing failed: File too large\nThe "
                                          "run continues"),
                                HasSubstr("/dev/full/runs: cannot create the folder")));
  EXPECT_EQ(
      result.err.find("The run continues", result.err.find("trainer_log.jsonl: writing") + 80),
      std::string::npos);  // said once
  EXPECT_EQ(read_file(out / "trainer_log.jsonl"), full);
  EXPECT_TRUE(read_file(out / kWeights) == read_file(path("whole") / kWeights));
  EXPECT_EQ(json::parse(read_file(out / "trainer_state.json"))["log_history"].size(), 7U);
}

TEST_F(Watching, AnOutputFolderWithoutSpace) {
  const Result result = run(training(path("out"), {"--max_steps", "2"}), {.largest_file = 16});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), HasSubstr("writing failed")));
  EXPECT_THAT(result.err, Not(HasSubstr("step 1/2")));
  EXPECT_TRUE(contents(path("out")).empty());
}

}  // namespace
}  // namespace lmpo::watch_test

// What the program reads from and writes to where that is no plain file: devices, FIFOs, pipes,
// closed descriptors, folders that are closed.
#include <sys/stat.h>

#include <csignal>

#include "base/testing/test_paths.h"
#include "cli/testing/program.h"

namespace lmpo::streams_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Streams : public ProgramTest {
 protected:
  // $LMPO is the program; runs in the test's folder.
  Result shell(const std::string& script) const {
    return run({"-c", fmt::format("cd '{}' && {{ {}; }}", folder_.string(), script)},
               {.environment = {{"LMPO", lmpo_binary()}}, .program = "/bin/sh"});
  }
  static std::string quoted(const Words& words) {
    std::string line = "\"$LMPO\"";
    for (const std::string& word : words) {
      line += " '" + word + "'";
    }
    return line;
  }
  fs::path fifo(const std::string& name) const {
    EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    return path(name);
  }
  Words score(const std::string& output) const {
    return {"score",    "-m",  model().string(), "--data", world("preferences.jsonl").string(),
            "--output", output};
  }
  Words train(const std::string& out) const {
    return training(path(out), {"--max_steps", "2", "--save_strategy", "no"});
  }
};

TEST_F(Streams, AnOutputThatIsAStreamIsWrittenIntoAndStays) {
  const Words samples = {"generate",         "-m", model().string(), "--prompt", "a",
                         "--max_new_tokens", "2",  "--seed",         "1",        "--output"};
  write("samples.jsonl", R"({"prompt": "a", "responses": ["b", "c"], "scores": [1, 2]})"
                         "\n");
  const std::string pairs = path("samples.jsonl").string();
  for (Words words :
       {score(""),
        samples,
        {"pair", "--samples", pairs, "--scores", pairs, "--output"},
        {"inspect", world("preferences.jsonl").string(), "-m", model().string(), "--html"}}) {
    if (words.back().empty()) {
      words.pop_back();
    }
    const auto to = [&](const std::string& output) {
      Words all = words;
      all.push_back(output);
      return all;
    };
    const std::string command = words[0];
    const Result file = run(to(path("file-" + command).string()));
    ASSERT_EQ(file.exit_code, 0) << file.err;
    const std::string want = read_file(path("file-" + command));
    // Where standard output stands, not at its file's beginning.
    const Result appended =
        shell("{ echo before; " + quoted(to("/dev/stdout")) + " && echo after; } > out");
    EXPECT_EQ(appended.exit_code, 0) << appended.err;
    const std::string out = read_file(path("out"));
    EXPECT_TRUE(out.starts_with("before\n") && out.ends_with("after\n")) << command;
    EXPECT_THAT(out, HasSubstr(want)) << command;
    // A link, so that a program that renames over it destroys nothing else.
    fs::create_symlink("/dev/full", path("full"));
    EXPECT_EQ(run(to(path("full").string())).exit_code, 1) << command;
    EXPECT_EQ(fs::read_symlink(path("full")), "/dev/full");
    fs::remove(path("full"));
    const fs::path pipe = fifo("pipe");
    EXPECT_EQ(shell("cat pipe > got & " + quoted(to("pipe")) + "; wait").exit_code, 0);
    EXPECT_EQ(read_file(path("got")), want) << command;
    EXPECT_TRUE(fs::is_fifo(pipe)) << command;
    fs::remove(pipe);
  }
}

TEST_F(Streams, ATrainingEndsWellWhateverBecomesOfItsTerminal) {
  ASSERT_EQ(run(train("plain")).exit_code, 0);
  const std::string want = read_file(path("plain/model.safetensors"));
  const std::pair<const char*, const char*> endings[] = {
      {"closed", " 2>&-"},
      {"all_closed", " <&- >&- 2>&-"},
      {"full", " 2>/dev/full"},
      {"reader_gone", " 2>&4"},
  };
  for (const auto& [name, streams] : endings) {
    // Descriptor 4 is a pipe that nobody reads any more.
    const Result result =
        shell("mkfifo f && exec 3<>f 4>f 3>&- && rm f && " + quoted(train(name)) + streams);
    EXPECT_EQ(result.exit_code, 0) << name << result.err;
    EXPECT_EQ(read_file(path(name) / "model.safetensors"), want) << name;
  }
}

TEST_F(Streams, ResultsThatNobodyReadsEndTheProgramAsUsual) {
  const std::string gone = "mkfifo f && exec 3<>f 4>f 3>&- && rm f && ";
  EXPECT_EQ(shell(gone + "\"$LMPO\" --help >&4; echo $?").out, fmt::format("{}\n", 128 + SIGPIPE));
  EXPECT_EQ(
      shell(gone + "yes '\"a\"' | \"$LMPO\" tokenize -m '" + model().string() + "' >&4; echo $?")
          .out,
      fmt::format("{}\n", 128 + SIGPIPE));
  // Closed is not the same: something is wrong.
  EXPECT_EQ(shell("\"$LMPO\" --help >&-").exit_code, 1);
}

TEST_F(Streams, InputsThatMayNeverEndAreRefusedByName) {
  const std::string pipe = fifo("pipe").string();
  const auto expect_refused = [](const Words& words, const std::string& name) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 2) << words[0] << result.err;
    EXPECT_THAT(result.err, HasSubstr(name));
  };
  for (const std::string& input : {pipe, std::string("/dev/zero")}) {
    expect_refused({"train", input}, input);
    expect_refused({"score", "-m", model().string(), "--data", input}, input);
    expect_refused({"generate", "-m", model().string(), "--prompts", input}, input);
    expect_refused(training(path("out"), {"--chat_template_path", input}), input);
    expect_refused({"pair", "--samples", input, "--scores", input}, input);
  }
  for (const char* file : {"config.json", "tokenizer.json", "model.safetensors",
                           "tokenizer_config.json", "generation_config.json"}) {
    const fs::path copy = copy_of_model(std::string("m-") + file);
    fs::remove(copy / file);
    ASSERT_EQ(::mkfifo((copy / file).c_str(), 0600), 0);
    expect_refused({"generate", "-m", copy.string(), "--prompt", "a"}, file);
  }
}

TEST_F(Streams, ARecipeMayComeFromAPipe) {
  const std::string recipe = fmt::format("model_name_or_path: {}\ndataset: [{}]\nmax_steps: 1\n",
                                         model().string(), world("preferences.jsonl").string());
  write("recipe.yaml", recipe);
  const Result result = shell(
      "cat recipe.yaml | \"$LMPO\" train /dev/stdin --objective lmpo --output_dir out --dry_run");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Streams, ACacheThatIsClosedIsAWarning) {
  // Names that the file system refuses; as root no folder is closed.
  const std::string closed = path(std::string(300, 'x')).string();
  const Result result = run(training(path("out"), {"--objective", "dpo", "--beta", "0.1",
                                                   "--max_steps", "1", "--token_cache", closed}),
                            {.environment = {{"LMPO_CACHE", closed}}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("cannot cache the tokens"),
                                HasSubstr("cannot cache the reference's scores")));
}

TEST_F(Streams, AFolderForTemporaryFilesThatIsNotThereIsNamed) {
  ASSERT_EQ(shell("gzip -c '" + world("preferences.jsonl").string() + "' > d.jsonl.gz").exit_code,
            0);
  const Result result =
      run({"score", "-m", model().string(), "--data", path("d.jsonl.gz").string()},
          {.environment = {{"TMPDIR", "/nowhere"}}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("/nowhere"));
}

TEST_F(Streams, APromptThatIsWrongIsNamedWithItsPlace) {
  const auto error_of = [&](const std::string& name, const std::string& content) {
    const Result result = run({"generate", "-m", model().string(), "--prompts",
                               write(name, content).string(), "--max_new_tokens", "1"});
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  };
  EXPECT_THAT(error_of("p.jsonl", "\"a\"\n\n[1]\n"), HasSubstr("p.jsonl:3: "));
  EXPECT_THAT(error_of("q.jsonl", "\"a\"\n{\"prompt\": 1}\n"), HasSubstr("q.jsonl:2: "));
  EXPECT_THAT(error_of("p.json", "[\"a\", [{\"content\": 1}]]"), HasSubstr("p.json: row 1: "));
}

TEST_F(Streams, TextThatCommandsATerminalIsEscaped) {
  const std::string text = "sun \u009b31m \u202e";
  const json row = {{"prompt", text}, {"chosen", text + "a"}, {"rejected", text + "b"}};
  const fs::path data = write("d.jsonl", row.dump() + "\n");
  write("s.jsonl",
        json({{"prompt", text}, {"responses", {text, "c"}}, {"scores", {1, 2}}}).dump() + "\n");
  const std::string samples = path("s.jsonl").string();
  const std::vector<Words> commands = {
      {"generate", "-m", model().string(), "--prompt", text, "--max_new_tokens", "1"},
      {"pair", "--samples", samples, "--scores", samples},
      {"inspect", data.string(), "-m", model().string()},
      {"inspect", data.string(), "-m", model().string(), "--json"}};
  for (const Words& words : commands) {
    const Result result = run(words);
    const std::string all = result.out + result.err;
    EXPECT_THAT(all, AllOf(Not(HasSubstr("\u009b")), Not(HasSubstr("\u202e")))) << words[0];
  }
  const Result result = run({"tokenize", "-m", model().string()}, {.input = json(text).dump()});
  EXPECT_THAT(result.out, AllOf(Not(HasSubstr("\u009b")), Not(HasSubstr("\u202e"))));
  EXPECT_EQ(json::parse(result.out)["text"], text);
}

}  // namespace
}  // namespace lmpo::streams_test

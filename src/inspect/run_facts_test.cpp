// What lmpo inspect suggests to do with a run. The shell itself reads the commands back.
#include "inspect/run_facts.h"

#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <memory>

namespace lmpo::run_facts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The words that /bin/sh makes of a command.
std::vector<std::string> shell_words(const std::string& command) {
  const std::string script = "set -- " + command + "\nprintf '%s\\001' \"$@\"";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(script.c_str(), "r"), ::pclose);
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    out.append(buffer.data(), got);
  }
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < out.size(); begin = out.find('\001', begin) + 1) {
    words.push_back(out.substr(begin, out.find('\001', begin) - begin));
  }
  return words;
}

Run run_with(const std::map<std::string, std::string>& options) {
  lmpo::Run run;
  run.folder = "out";
  run.options = options;
  for (const auto& [option, value] : options) {
    run.option_sources[option] = "flag";
  }
  return run;
}

TEST(RunCommand, TheShellReadsEveryValueBack) {
  for (const std::string& value :
       {std::string("plain"), std::string("two words"), std::string("it's"), std::string("$HOME"),
        std::string("`id`"), std::string("a;b|c&d>e<f"), std::string("\"quoted\" \\ back"),
        std::string("*"), std::string("line\nend"), std::string("~"), std::string("\xe7\x8b\xbc"),
        std::string()}) {
    EXPECT_THAT(shell_words(command_of(run_with({{"objective", "lmpo"}, {"run_name", value}}), "")),
                ElementsAre("lmpo", "train", "--objective", "lmpo", "--run_name", value));
  }
}

TEST(RunCommand, NamesWhatWasChosen) {
  lmpo::Run run = run_with({{"bf16", "true"},
                            {"packing", "false"},
                            {"dataset", R"(["a b.json","c.json"])"},
                            {"resume_from_checkpoint", "x"},
                            {"overwrite_output_dir", "true"},
                            {"seed", "42"}});
  run.option_sources["seed"] = "default";
  EXPECT_THAT(shell_words(command_of(run, " --more")),
              ElementsAre("lmpo", "train", "--bf16", "--dataset", "a b.json", "--dataset", "c.json",
                          "--no_packing", "--more"));
  // `lmpo sft` sets the objective by itself.
  run.options["objective"] = "sft";
  run.option_sources["objective"] = "default";
  EXPECT_THAT(command_of(run, ""), HasSubstr(" --objective sft"));
  EXPECT_EQ(command_of(lmpo::Run{}, " --more"), "");
}

TEST(RunNextSteps, FollowItsState) {
  lmpo::Run run = run_with({{"objective", "dpo"}});
  run.folder = "my run";
  run.state = RunState::done;
  EXPECT_THAT(next_steps(run), ElementsAre("try it: lmpo generate --model 'my run' --prompt TEXT",
                                           "see its curves: lmpo report 'my run'"));
  run.state = RunState::killed;
  EXPECT_THAT(next_steps(run)[0],
              "start again (no checkpoint was saved): lmpo train --objective dpo "
              "--overwrite_output_dir");
  run.checkpoints = {{.step = 5, .folder = {}, .bytes = 1, .resumable = true},
                     {.step = 9, .folder = {}, .bytes = 1, .resumable = false}};
  EXPECT_THAT(next_steps(run)[0],
              "resume from step 5: lmpo train --objective dpo --resume_from_checkpoint");
  run.state = RunState::going;
  EXPECT_THAT(next_steps(run), ElementsAre(HasSubstr("lmpo report")));
}

TEST(RunPrinted, HidesDefaultsAndCountsCheckpoints) {
  lmpo::Run run = run_with({{"beta", "2.5"}, {"seed", "42"}});
  run.option_sources["seed"] = "default";
  run.checkpoints = {{.step = 5, .folder = "out/checkpoint-5", .bytes = 1000, .resumable = true},
                     {.step = 9, .folder = "out/checkpoint-9", .bytes = 2000, .resumable = false}};
  TerminalText out({.columns = 100, .wraps = false, .colours = false});
  print(run, out);
  EXPECT_THAT(out.text(), HasSubstr("beta: 2.5"));
  EXPECT_THAT(out.text(), Not(HasSubstr("seed: 42")));
  EXPECT_THAT(out.text(), HasSubstr("1 more with their default values"));
  EXPECT_THAT(out.text(), HasSubstr("checkpoint-9: 2.00 kB, cannot resume from it"));
  EXPECT_THAT(out.text(), HasSubstr("3.00 kB in total"));
}

}  // namespace
}  // namespace lmpo::run_facts_test

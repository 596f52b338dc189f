// What the program tells of itself: help, completion scripts in real shells, manual pages.
#include <sstream>

#include "cli/testing/bad_input.h"
#include "cli/testing/find_program.h"
#include "cli/testing/terminal.h"

namespace lmpo::help_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The names of the commands, in order, from the documentation's page.
std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(run({"docs", "commands"}).out)) {
    if (line.starts_with("## lmpo ")) {
      names.push_back(line.substr(8));
    }
  }
  return names;
}

class Help : public BadInput {
 protected:
  static std::string help(const Words& words) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }
};

TEST_F(Help, EveryCommandExplainsItselfAndEndsWithExamples) {
  const std::vector<std::string> names = command_names();
  EXPECT_GE(names.size(), 16U);
  const std::string all = help({"--help"});
  for (const std::string& name : names) {
    EXPECT_THAT(all, HasSubstr("\n  " + name + " "));
    const std::string page = help({name, "--help"});
    EXPECT_THAT(page, StartsWith("usage: lmpo " + name));
    const std::size_t last = page.rfind("\n\n");
    EXPECT_THAT(page.substr(last), HasSubstr("\nExamples\n  ")) << page;
    EXPECT_EQ(help({"help", name}), page);
    for (const std::string& line : lines_of(page.substr(0, last))) {
      EXPECT_LE(line.size(), 100U) << name << ": " << line;
    }
  }
}

TEST_F(Help, TopicsOfTheProgramAndOfACommand) {
  EXPECT_THAT(help({"help", "objectives"}), AllOf(HasSubstr("  rdpo"), HasSubstr("  lmpo")));
  EXPECT_THAT(help({"help", "environment"}), HasSubstr("NO_COLOR"));
  EXPECT_THAT(help({"help", "orpo"}),
              AllOf(HasSubstr("log odds"), HasSubstr("--nll_on {conversation|response}"),
                    HasSubstr("[default: 0.1]"), HasSubstr("https://arxiv.org/abs/2403.07691")));
  EXPECT_THAT(help({"train", "--help", "optimizer"}),
              AllOf(HasSubstr("--adam_beta1"), Not(HasSubstr("--max_length"))));
  EXPECT_EQ(help({"help", "train", "warmup"}), help({"train", "--help", "warmup"}));
  EXPECT_EQ(help({"--help", "train", "warmup"}), help({"train", "--help", "warmup"}));
  EXPECT_THAT(help({"train", "--help", "warmup"}),
              AllOf(HasSubstr("--warmup_ratio"), Not(HasSubstr("--weight_decay"))));
  // A recipe after --help is none.
  EXPECT_EQ(help({"train", "--help", "recipe.yaml"}), help({"train", "--help"}));
}

TEST_F(Help, UnknownTopicsAreRefusedWithTheNearest) {
  expect_refusal({"help", "trian"}, AllOf(HasSubstr("not 'trian'"), HasSubstr("mean 'train'?")));
  expect_refusal({"train", "--help", "optimiser"}, HasSubstr("mean 'optimizer'?"));
  expect_refusal({"--completion", "tcsh"}, HasSubstr("bash, zsh or fish was expected"));
  expect_refusal({"--completion"}, HasSubstr("bash, zsh or fish was expected"));
  expect_refusal({"docs", "options", "--of", "train"}, HasSubstr("is for lmpo docs man only"));
  expect_refusal({"docs", "man", "--of", "trian"}, HasSubstr("mean 'train'?"));
}

TEST_F(Help, IsAsWideAsTheTerminalAndColouredThere) {
  for (const int columns : {20, 80}) {
    EXPECT_THAT(written_on_terminal({"train", "--help", "all"}, columns),
                HasSubstr("\x1b[1mOptimizer\x1b[0m\n"));
    const std::string text = written_on_terminal({"train", "--help", "optimizer"}, columns,
                                                 {.environment = {{"NO_COLOR", "1"}}});
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    for (const std::string& line : lines_of(text)) {
      const bool one_word = line.find(' ', line.find_first_not_of(' ')) == std::string::npos;
      EXPECT_TRUE(std::ssize(line) <= columns || one_word) << columns << ": " << line;
    }
  }
}

class Completion : public Help {
 protected:
  void SetUp() override {
    Help::SetUp();
    fs::create_directories(path("home"));
    fs::create_directories(path("some data"));
    write("some data/rows.jsonl", "");
  }

  // Runs a shell's commands where lmpo is found, in the test's folder.
  std::string output_of(const std::string& shell, Words words) const {
    const Result result = run_other(
        shell, std::move(words),
        {.environment = {{"PATH", lmpo_binary().parent_path().string() + ":" + std::getenv("PATH")},
                         {"HOME", path("home").string()}}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return result.out;
  }

  fs::path script(const std::string& shell) const {
    return write("completion." + shell, help({"--completion", shell}));
  }

  // What completing the last of the words offers; "options X" for what is asked of compopt.
  std::vector<std::string> in_bash(const std::string& words) const {
    const std::string commands =
        "source " + script("bash").string() + "; compopt() { echo \"options $*\"; }; COMP_WORDS=(" +
        words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _lmpo; printf '%s\\n' \"${COMPREPLY[@]}\"";
    return lines_of(output_of("bash", {"--norc", "-u", "-c", commands}));
  }

  // The same in zsh, where its own functions say what they are asked for.
  std::vector<std::string> in_zsh(const std::string& words) const {
    const std::string commands =
        "compdef() {}; compset() {}; _files() { print -r -- files $* }; "
        "_describe() { print -rl -- \"${(@P)@[-1]}\" }; source " +
        script("zsh").string() + "; words=(" + words +
        "); CURRENT=$#words; PREFIX=$words[-1]; _lmpo";
    return lines_of(output_of("zsh", {"-f", "-c", commands}));
  }

  std::string in_fish(const std::string& line) const {
    return output_of("fish", {"--no-config", "-c",
                              "cd " + path("").string() + "; source " + script("fish").string() +
                                  "; complete -C '" + line + "'"});
  }
};

TEST_F(Completion, OfBash) {
  if (find_program("bash").empty()) {
    GTEST_SKIP() << "there is no bash";
  }
  EXPECT_THAT(in_bash("lmpo tra"), AllOf(Contains("train"), Not(Contains("sft"))));
  EXPECT_THAT(in_bash("lmpo --ver"), Contains("--version"));
  EXPECT_THAT(in_bash("lmpo --completion z"), Contains("zsh"));
  EXPECT_THAT(in_bash("lmpo help objecti"), Contains("objectives"));
  EXPECT_THAT(in_bash("lmpo train --learning_r"), Contains("--learning_rate"));
  EXPECT_THAT(in_bash("lmpo train --objective sl"), Contains("slic"));
  EXPECT_THAT(in_bash("lmpo train --objective = sl"), Contains("slic"));
  EXPECT_THAT(in_bash("lmpo train --objective ="), Contains("slic"));
  EXPECT_THAT(in_bash("lmpo train --objective=sl"), Contains("--objective=slic"));
  EXPECT_THAT(in_bash("lmpo train --lr-scheduler-type c"), Contains("cosine"));
  EXPECT_THAT(in_bash("lmpo train --help opt"), Contains("optimizer"));
  EXPECT_THAT(in_bash("lmpo help train opt"), Contains("optimizer"));
  EXPECT_THAT(in_bash("lmpo help dpo ''"), ElementsAre("options +o default", ""));
  EXPECT_THAT(in_bash("lmpo docs co"), Contains("commands"));
  // Files as bash itself does it, folders, and numbers not at all.
  EXPECT_THAT(in_bash("lmpo train --data ''"), ElementsAre(""));
  EXPECT_THAT(in_bash("lmpo train -m ''"), ElementsAre("options -o dirnames +o default", ""));
  EXPECT_THAT(in_bash("lmpo train --beta ''"), ElementsAre("options +o default", ""));
  EXPECT_THAT(in_bash("lmpo train --dry_run ''"), ElementsAre(""));
  // A program that cannot be asked is no reason to complete nothing.
  EXPECT_THAT(in_bash("./nothing train ''"), ElementsAre(""));
}

TEST_F(Completion, OfZsh) {
  if (find_program("zsh").empty()) {
    GTEST_SKIP() << "there is no zsh";
  }
  EXPECT_THAT(in_zsh("lmpo tra"),
              Contains("train:train a checkpoint on preferences (LMPO, SimPO, DPO, ...)"));
  EXPECT_THAT(in_zsh("lmpo train --learning_r"),
              Contains("--learning_rate:peak learning rate of AdamW"));
  EXPECT_THAT(in_zsh("lmpo train --objective sl"), Contains("slic"));
  EXPECT_THAT(in_zsh("lmpo train --objective=sl"), Contains("--objective=slic"));
  EXPECT_THAT(in_zsh("lmpo train --data ''"), ElementsAre("files"));
  EXPECT_THAT(in_zsh("lmpo train -m ''"), ElementsAre("files -/"));
  EXPECT_THAT(in_zsh("lmpo train --beta ''"), ElementsAre());
  // Sourced, the script says whose it is.
  EXPECT_EQ(output_of("zsh", {"-f", "-c",
                              "autoload -U compinit; compinit -u -D; source " +
                                  script("zsh").string() + "; print $_comps[lmpo]"}),
            "_lmpo\n");
}

TEST_F(Completion, OfFish) {
  if (find_program("fish").empty()) {
    GTEST_SKIP() << "there is no fish";
  }
  EXPECT_THAT(in_fish("lmpo tra"), StartsWith("train\ttrain a checkpoint"));
  EXPECT_THAT(in_fish("lmpo train --objective sl"), StartsWith("slic"));
  EXPECT_THAT(in_fish("lmpo train --objective=sl"), StartsWith("--objective=slic"));
  EXPECT_THAT(in_fish("lmpo train --learning_r"), StartsWith("--learning_rate\tpeak"));
  EXPECT_THAT(in_fish("lmpo train -m so"), StartsWith("some data/\t"));
  EXPECT_EQ(in_fish("lmpo train --data some\\\\ data/"), "some data/rows.jsonl\n");
  EXPECT_EQ(in_fish("lmpo train --data=some\\\\ data/"), "--data=some data/rows.jsonl\n");
}

TEST_F(Completion, BothSpellingsGiveTheSameScript) {
  const std::string script = help({"--completion", "bash"});
  EXPECT_EQ(help({"--completion-bash"}), script);
  EXPECT_EQ(help({"--completion=bash"}), script);
}

TEST_F(Completion, OfALineIsAnsweredByTheProgram) {
  EXPECT_THAT(help({"--complete", "2", "lmpo", "train", "--obj"}),
              HasSubstr("\n--objective\ttraining objective\n"));
  // Words after the one that is completed do not matter.
  EXPECT_EQ(help({"--complete", "3", "lmpo", "docs", "--of", "x", "man"}), "words\n");
  EXPECT_EQ(help({"--complete", "2", "lmpo", "nothing", ""}), "words\n");
  EXPECT_THAT(help({"--complete", "2", "lmpo", "--help", ""}), HasSubstr("\ntokenize\n"));
  EXPECT_EQ(help({"--complete", "4", "lmpo", "--completion", "zsh", "--help", ""}), "words\nall\n");
  for (const Words& words :
       {Words{"--complete"}, Words{"--complete", "0", "lmpo", ""},
        Words{"--complete", "2", "lmpo", ""}, Words{"--complete", "x", "lmpo"}}) {
    expect_refusal(words, HasSubstr("--complete: expected INDEX WORD..."));
  }
}

TEST_F(Help, ManualPagesOfAllCommandsAreCleanRoff) {
  const fs::path folder = path("man");
  EXPECT_EQ(help({"docs", "man", "--output", folder.string()}), "");
  const std::vector<std::string> names = command_names();
  EXPECT_EQ(contents(folder).size(), names.size() + 1);
  EXPECT_EQ(read_file(folder / "lmpo-train.1"), help({"docs", "man", "--of", "train"}));
  EXPECT_EQ(read_file(folder / "lmpo.1"), help({"docs", "man"}));
  if (find_program("groff").empty()) {
    GTEST_SKIP() << "there is no groff";
  }
  for (const auto& [name, page] : contents(folder)) {
    const Result result = run_other("groff", {"-man", "-ww", "-Tutf8", (folder / name).string()});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "") << name;
    EXPECT_THAT(result.out, HasSubstr("User Commands"));
  }
}

}  // namespace
}  // namespace lmpo::help_test

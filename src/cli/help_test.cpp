// What the program tells of itself: help, completion scripts in real shells, manual pages.
#include <sstream>

#include "cli/testing/bad_input.h"
#include "cli/testing/find_program.h"
#include "cli/testing/terminal.h"

namespace lmpo {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

// --- pages

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

// --- completion

class BashCompletion : public Help {
 protected:
  // What completing the last of the words offers; "options X" for what is asked of compopt.
  std::vector<std::string> complete(const std::string& words) const {
    const fs::path script = write("completion.bash", help({"--completion", "bash"}));
    const std::string commands =
        "source " + script.string() + "; compopt() { echo \"options $*\"; }; COMP_WORDS=(" + words +
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _lmpo; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const Result result = run_other("bash", {"--norc", "-u", "-c", commands});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return lines_of(result.out);
  }
};

TEST_F(BashCompletion, CompletesCommandsOptionsAndChoices) {
  if (find_program("bash").empty()) {
    GTEST_SKIP() << "there is no bash";
  }
  EXPECT_THAT(complete("lmpo tra"), Contains("train"));
  EXPECT_THAT(complete("lmpo --ver"), Contains("--version"));
  EXPECT_THAT(complete("lmpo --completion z"), Contains("zsh"));
  EXPECT_THAT(complete("lmpo help objecti"), Contains("objectives"));
  EXPECT_THAT(complete("lmpo train --learning_r"), Contains("--learning_rate"));
  EXPECT_THAT(complete("lmpo train --objective sl"), Contains("slic"));
  EXPECT_THAT(complete("lmpo train --objective = sl"), Contains("slic"));
  EXPECT_THAT(complete("lmpo train --lr-scheduler-type c"), Contains("cosine"));
  EXPECT_THAT(complete("lmpo train --help opt"), Contains("optimizer"));
  EXPECT_THAT(complete("lmpo docs co"), Contains("commands"));
  // Files as bash itself does it, folders, and numbers not at all.
  EXPECT_THAT(complete("lmpo train --data ''"), ElementsAre(""));
  EXPECT_THAT(complete("lmpo train -m ''"), ElementsAre("options -o dirnames +o default", ""));
  EXPECT_THAT(complete("lmpo train --beta ''"), ElementsAre("options +o default", ""));
  EXPECT_THAT(complete("lmpo train --dry_run ''"), ElementsAre(""));
}

TEST_F(BashCompletion, BothSpellingsGiveTheSameScript) {
  const std::string script = help({"--completion", "bash"});
  EXPECT_EQ(help({"--completion-bash"}), script);
  EXPECT_EQ(help({"--completion=bash"}), script);
}

TEST_F(Help, ZshReadsItsScript) {
  if (find_program("zsh").empty()) {
    GTEST_SKIP() << "there is no zsh";
  }
  const fs::path script = write("_lmpo", help({"--completion", "zsh"}));
  const Result result = run_other("zsh", {"-f", "-c",
                                          "autoload -U compinit; compinit -u -D; source " +
                                              script.string() + "; print $_comps[lmpo]"});
  EXPECT_EQ(result.out, "_lmpo\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(Help, FishCompletes) {
  if (find_program("fish").empty()) {
    GTEST_SKIP() << "there is no fish";
  }
  const fs::path script = write("lmpo.fish", help({"--completion", "fish"}));
  const auto complete = [&](const std::string& line) {
    const Result result = run_other(
        "fish", {"--no-config", "-c", "source " + script.string() + "; complete -C '" + line + "'"},
        {.environment = {{"HOME", path("home").string()}}});
    EXPECT_EQ(result.err, "");
    return result.out;
  };
  EXPECT_THAT(complete("lmpo tra"), StartsWith("train\t"));
  EXPECT_THAT(complete("lmpo train --objective sl"), StartsWith("slic"));
  EXPECT_THAT(complete("lmpo train --learning_r"), StartsWith("--learning_rate"));
}

// --- manual pages

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
}  // namespace lmpo

// Help pages, completion, manual pages and tables, made of a command's description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/error.h"
#include "recipe/option_set.h"
#include "recipe/pages/completion.h"
#include "recipe/pages/help_page.h"
#include "recipe/pages/man_page.h"
#include "recipe/pages/markdown.h"

namespace lmpo::pages_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A command with an option of every kind, as the program's are.
CommandDescription sample() {
  bool eager = true;
  std::int64_t count = 3;
  std::string kind = "auto";
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;
  std::string resume;
  std::vector<std::string> words;
  OptionSet set("tool run", "Runs, if you let it.");
  set.accept_config_file();
  set.group("First things");
  set.add("eager", eager, "on at the start");
  set.add("count", count, "how many [of them]: it's \\ 1 - 2", {.letter = 'c', .synonyms = {"n"}});
  set.group("Second");
  set.add("kind", kind, "a kind", {.choices = {"auto", "half"}});
  set.add("folder", folder, "a folder", {.value_name = "DIR"});
  set.add("files", files, "some files", {.value_name = "FILE", .required = true});
  set.add("resume", resume, "go on", {.value_name = "[DIR]", .implied = "true"});
  set.add("words", words, "words");
  set.section("Examples", "  tool run recipe.yaml\n.nothing of roff\n");
  set.common({"files", "count"});
  return set.describe();
}

std::vector<ListedCommand> commands() {
  return {{"run", "Do", "runs it's thing", sample()}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string error_of(const std::string& topic) {
  try {
    help_page(sample(), topic, {});
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(CommandDescription, IsMadeOfTheDeclaration) {
  const CommandDescription command = sample();
  EXPECT_EQ(command.command, "tool run");
  EXPECT_EQ(command.usage(), "tool run [RECIPE.yaml] [options]");
  EXPECT_THAT(command.groups(), ElementsAre("First things", "Second"));
  ASSERT_EQ(command.options.size(), 7U);
  EXPECT_THAT(command.options[0].flags(), ElementsAre("--eager", "--no_eager"));
  EXPECT_THAT(command.options[1].flags(), ElementsAre("-c", "--count", "--n"));
  EXPECT_EQ(command.options[1].default_note(), "default: 3");
  EXPECT_EQ(command.options[1].variable(), "LMPO_COUNT");
  const std::vector<ValueKind> kinds = {ValueKind::choices, ValueKind::folders, ValueKind::files,
                                        ValueKind::folders, ValueKind::text};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(value_kind(command.options[i + 2]), kinds[i]) << i;
  }
}

TEST(HelpPage, FirstShowsWhatIsCommonThenAll) {
  const std::string first = help_page(sample(), "", {});
  EXPECT_THAT(first, AllOf(HasSubstr("--files FILE,..."), HasSubstr("-c, --count, --n N"),
                           HasSubstr("[required] (env: LMPO_FILES)"), Not(HasSubstr("--kind")),
                           HasSubstr("all 7 options"), HasSubstr("Examples\n  tool run")));
  const std::string all = help_page(sample(), "all", {});
  EXPECT_THAT(all, AllOf(HasSubstr("\nFirst things\n"), HasSubstr("--kind {auto|half}"),
                         HasSubstr("Examples\n  tool run")));
}

TEST(HelpPage, ATopicIsAGroupALastPartOrAnOption) {
  EXPECT_THAT(help_page(sample(), "things", {}),
              AllOf(HasSubstr("--eager"), HasSubstr("--count"), Not(HasSubstr("--kind"))));
  EXPECT_THAT(help_page(sample(), "SECOND", {}), HasSubstr("--kind"));
  EXPECT_EQ(help_page(sample(), "sec", {}), help_page(sample(), "second", {}));
  EXPECT_EQ(lines_of(help_page(sample(), "examples", {})).at(0), "Examples");
  EXPECT_THAT(help_page(sample(), "kind", {}),
              AllOf(HasSubstr("--kind"), Not(HasSubstr("--files"))));
  EXPECT_THAT(error_of("secnod"), AllOf(HasSubstr("no topic or option matches 'secnod'"),
                                        HasSubstr("did you mean 'second'?"),
                                        HasSubstr("all, first, second, examples")));
}

TEST(HelpPage, IsAsWideAsTheTerminal) {
  for (const std::size_t width : {20U, 40U, 69U, 70U, 100U, 120U}) {
    const std::string page = help_page(sample(), "all", {.width = width});
    for (const std::string& line : lines_of(page)) {
      // A word may be longer than a narrow terminal.
      const bool one_word = line.find(' ', line.find_first_not_of(' ')) == std::string::npos;
      const bool as_it_is = line.starts_with("  tool run") || line.starts_with(".");
      EXPECT_TRUE(line.size() <= width || one_word || as_it_is) << width << ": " << line;
    }
  }
}

TEST(HelpPage, ColoursAddNothingButColours) {
  const std::string plain = help_page(sample(), "all", {.width = 80});
  std::string coloured = help_page(sample(), "all", {.width = 80, .colours = true});
  EXPECT_THAT(coloured, AllOf(HasSubstr("\x1b[1mSecond\x1b[0m"), HasSubstr("\x1b[36m--kind")));
  for (std::size_t at = 0; (at = coloured.find('\x1b')) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, plain);
}

// The words that are offered in place of the last one, and what else.
std::vector<std::string> offered(const std::vector<std::string>& line) {
  const Candidates candidates = complete(sample(), line);
  std::vector<std::string> words;
  for (const Candidate& candidate : candidates.words) {
    words.push_back(candidate.word);
  }
  return words;
}

ValueKind others(const std::vector<std::string>& line) {
  return complete(sample(), line).others;
}

TEST(Completion, OffersFlagsAndValues) {
  EXPECT_THAT(offered({"-"}),
              ElementsAre("--eager", "--no_eager", "-c", "--count", "--n", "--kind", "--folder",
                          "--files", "--resume", "--words", "--config", "--help"));
  EXPECT_THAT(offered({"--kind", ""}), ElementsAre("auto", "half"));
  EXPECT_THAT(offered({"--kind", "-"}), Contains("--eager"));
  EXPECT_THAT(offered({"--help", ""}), ElementsAre("all", "first", "second", "examples"));
  // In the same word; and as bash cuts it.
  EXPECT_THAT(offered({"--kind=ha"}), ElementsAre("--kind=auto", "--kind=half"));
  EXPECT_THAT(offered({"--kind", "="}), ElementsAre("auto", "half"));
  EXPECT_THAT(offered({"--kind", "=", "ha"}), ElementsAre("auto", "half"));
  EXPECT_THAT(offered({"--count", "3", ""}), ElementsAre());
}

TEST(Completion, AsksForFilesByKind) {
  EXPECT_EQ(others({"--folder", ""}), ValueKind::folders);
  EXPECT_EQ(others({"--files=", ""}), ValueKind::files);
  EXPECT_EQ(others({"--files=a"}), ValueKind::files);
  EXPECT_EQ(others({"--files", "=", "a"}), ValueKind::files);
  EXPECT_EQ(others({"-c", ""}), ValueKind::text);
  EXPECT_EQ(others({"--config", ""}), ValueKind::files);
  // The recipe is an argument, and the only one; a switch takes none.
  EXPECT_EQ(others({""}), ValueKind::files);
  EXPECT_EQ(others({"--eager", ""}), ValueKind::files);
  EXPECT_EQ(others({"-c", "3", "--kind", "=", "half", ""}), ValueKind::files);
  EXPECT_EQ(others({"recipe.yaml", ""}), ValueKind::text);
  EXPECT_EQ(others({"--unknown", ""}), ValueKind::files);
}

TEST(Completion, AnswersInLines) {
  EXPECT_THAT(complete(sample(), std::vector<std::string>{"-"}).text(),
              AllOf(StartsWith("words\n--eager\ton at the start\n"),
                    HasSubstr("\n-c\thow many [of them]: it's \\ 1 - 2\n")));
  EXPECT_EQ(complete(sample(), std::vector<std::string>{"--folder", ""}).text(), "folders\n");
  EXPECT_THAT(completion_script("zsh"), StartsWith("#compdef lmpo\n"));
  EXPECT_THROW(completion_script("tcsh"), UserError);
}

TEST(ManPage, EscapesWhatRoffWouldObey) {
  EXPECT_EQ(roff_escaped(".a\n'b\\c-d"), "\\&.a\n\\&\\(aqb\\ec\\-d");
  const std::string page = command_man_page(commands()[0], "1.2");
  EXPECT_THAT(page, AllOf(HasSubstr(".TH LMPO\\-RUN 1"), HasSubstr("\\&.nothing of roff\n"),
                          HasSubstr("\\fB\\-c\\fR, \\fB\\-\\-count\\fR, \\fB\\-\\-n\\fR \\fIN\\fR"),
                          HasSubstr("[default: 3]"), HasSubstr(".SS \"First things\"")));
}

TEST(Markdown, CommandsShareTheOptionsOfTrain) {
  std::vector<ListedCommand> all = {{"train", "Do", "trains", sample()},
                                    {"sft", "Do", "", sample()}};
  all[1].description.command = "tool sft";
  OptionDescription more;
  more.name = "more";
  more.group = "Own";
  more.help = "a|b";
  all[1].description.options.push_back(more);
  const std::string text = commands_markdown(all, "train");
  EXPECT_THAT(text, AllOf(HasSubstr("## tool sft"), HasSubstr("[a page of their own](options.md)"),
                          HasSubstr("| `more` |  | a\\|b |"), Not(HasSubstr("`kind`"))));
}

}  // namespace
}  // namespace lmpo::pages_test

#include "recipe/option_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/testing/test_folder.h"
#include "recipe/pages/help_page.h"
#include "recipe/pages/markdown.h"

namespace lmpo {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Colour { red, green, no };
constexpr std::array<std::string_view, 3> choice_names(Colour) {
  return {"red", "green", "no"};
}

// A small command with an option of every kind.
struct Sample {
  bool flag = false;
  bool eager = true;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string name = "x";
  std::string kind = "auto";
  fs::path folder;
  Colour colour = Colour::red;
  std::optional<double> ratio;
  std::vector<fs::path> files;
  Bytes memory;
  std::string resume;

  OptionSet options{"tool run", "Runs."};

  Sample() {
    options.accept_config_file();
    options.group("First");
    options.add("some_flag", flag, "a flag");
    options.add("eager", eager, "on at the start");
    options.add("count", count, "a count",
                {.range = at_least(1), .letter = 'c', .synonyms = {"n"}, .old_names = {"number"}});
    options.add("rate", rate, "a rate", {.range = kInsideUnit});
    options.group("Second");
    options.add("name", name, "a name");
    options.add("kind", kind, "a kind", {.choices = {"auto", "half"}, .flags = {{"fp16", "half"}}});
    options.add("folder", folder, "a folder");
    options.add("colour", colour, "a colour");
    options.add("ratio", ratio, "a ratio", {.default_text = "rate / 2"});
    options.add("files", files, "some files", {.value_name = "FILE"});
    options.add("memory", memory, "a size");
    options.add("resume", resume, "go on", {.implied = "true"});
  }

  void read(const std::vector<std::string>& arguments) {
    ASSERT_TRUE(options.read_arguments(arguments));
    options.resolve();
  }
  void yaml(std::string_view text) {
    options.read_yaml(text, "r.yaml");
    options.resolve();
  }
};

// The message of the UserError that reading throws.
template <typename F>
std::string message_of(F read) {
  try {
    Sample sample;
    read(sample);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}
std::string flag_error(const std::vector<std::string>& arguments) {
  return message_of([&](Sample& sample) { sample.read(arguments); });
}
std::string yaml_error(std::string_view text) {
  return message_of([&](Sample& sample) { sample.yaml(text); });
}

TEST(CommandLine, TakesEverySpelling) {
  Sample s;
  s.read({"--some-flag", "--count=7", "--rate", "5e-7", "--name=a=b", "--colour", "green",
          "--folder", "/tmp/x", "--memory", "8GiB", "--ratio", "-1.5"});
  EXPECT_TRUE(s.flag);
  EXPECT_EQ(s.count, 7);
  EXPECT_EQ(s.rate, 5e-7);
  EXPECT_EQ(s.name, "a=b");
  EXPECT_EQ(s.colour, Colour::green);
  EXPECT_EQ(s.folder, "/tmp/x");
  EXPECT_EQ(s.memory.count, 8ull << 30);
  EXPECT_EQ(s.ratio, -1.5);
}

TEST(CommandLine, TakesSynonymsAndLetters) {
  Sample a;
  a.read({"--n", "4"});
  EXPECT_EQ(a.count, 4);
  EXPECT_TRUE(a.options.remarks().empty());
  Sample b;
  b.read({"-c", "5"});
  EXPECT_EQ(b.count, 5);
  Sample c;
  c.read({"-c=6"});
  EXPECT_EQ(c.count, 6);
  Sample old;
  old.read({"--number", "9"});
  EXPECT_EQ(old.count, 9);
  ASSERT_EQ(old.options.remarks().size(), 1u);
  EXPECT_EQ(old.options.remarks()[0].text, "--number: 'number' is called 'count' here");
}

TEST(CommandLine, TakesBooleansWithAndWithoutAValue) {
  const auto eager = [](const std::vector<std::string>& arguments) {
    Sample s;
    s.read(arguments);
    return s.eager;
  };
  EXPECT_FALSE(eager({"--no_eager"}));
  EXPECT_FALSE(eager({"--no-eager"}));
  EXPECT_FALSE(eager({"--eager", "False"}));
  EXPECT_FALSE(eager({"--eager=no"}));
  EXPECT_TRUE(eager({"--no_eager", "--eager"}));  // the last one holds
  EXPECT_TRUE(eager({}));
  EXPECT_THAT(flag_error({"--eager=perhaps"}), HasSubstr("--eager: true or false was expected"));
  EXPECT_THAT(flag_error({"--no_eager=true"}), HasSubstr("takes no value"));
  EXPECT_THAT(flag_error({"--no_count"}), HasSubstr("unknown option --no_count"));
}

TEST(CommandLine, ListsRepeatOrHaveCommas) {
  Sample s;
  s.read({"--files", "a,b", "--files=c"});
  EXPECT_THAT(s.files, ElementsAre("a", "b", "c"));
  EXPECT_THAT(flag_error({"--files", "a,,b"}), HasSubstr("a list, each a path was expected"));
}

TEST(CommandLine, AFlagAloneMayImplyAValue) {
  const auto resume = [](const std::vector<std::string>& arguments) {
    Sample s;
    EXPECT_TRUE(s.options.read_arguments(arguments));
    s.options.resolve();
    return s.resume;
  };
  EXPECT_EQ(resume({"--resume"}), "true");
  EXPECT_EQ(resume({"--resume", "--count", "4"}), "true");
  EXPECT_EQ(resume({"--resume", "run.yaml"}), "true");
  EXPECT_EQ(resume({"--resume", "out/checkpoint-3"}), "out/checkpoint-3");
  EXPECT_EQ(resume({"--resume=out"}), "out");
}

TEST(CommandLine, NamesTheNearestOptionAndDoesNotAbbreviate) {
  EXPECT_THAT(flag_error({"--cuont", "3"}),
              AllOf(HasSubstr("unknown option --cuont"), HasSubstr("did you mean --count?"),
                    HasSubstr("tool run --help")));
  EXPECT_THAT(flag_error({"--coun", "3"}), HasSubstr("unknown option --coun"));
  EXPECT_THAT(flag_error({"-x"}), HasSubstr("unknown option -x"));
  EXPECT_THAT(flag_error({"a.yaml", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(flag_error({"--config", "a.yaml", "b.yaml"}),
              HasSubstr("unexpected argument 'b.yaml'"));
}

TEST(CommandLine, OtherTrainersFlagsAreReadAsTheirKeysAre) {
  Sample s;
  s.read({"--run_name", "mine", "--no_push_to_hub", "--count", "4"});
  EXPECT_EQ(s.count, 4);
  ASSERT_EQ(s.options.remarks().size(), 2u);
  EXPECT_EQ(s.options.remarks()[0].text,
            "--run_name: 'run_name' is not used: metrics are written to files in output_dir");
  EXPECT_THAT(flag_error({"--use_peft", "--count", "4"}),
              HasSubstr("--use_peft: use_peft: 'true' is not supported"));
}

TEST(CommandLine, AllMistakesAreToldAtOnce) {
  EXPECT_EQ(flag_error({"--count", "many", "--zzzzzz", "--rate", "7"}),
            "3 mistakes in the options:\n"
            "  unknown option --zzzzzz; tool run --help lists them\n"
            "  --count: a whole number >= 1 was expected, not 'many'\n"
            "  --rate: a number in (0, 1) was expected, not '7'");
}

TEST(CommandLine, AnOptionMayAlsoBeAnArgument) {
  const auto model = [](const std::vector<std::string>& arguments) {
    std::string value;
    OptionSet options("tool look", "Looks.");
    options.add_named_or_positional("model", value, "a model", {.letter = 'm', .required = true});
    EXPECT_TRUE(options.parse(arguments));
    return value;
  };
  EXPECT_EQ(model({"a"}), "a");
  EXPECT_EQ(model({"-m", "a"}), "a");
  EXPECT_EQ(model({"--model=a"}), "a");
  EXPECT_THROW(model({"-m", "a", "b"}), UserError);
  EXPECT_THROW(model({}), UserError);
}

TEST(CommandLine, SaysWhatWasExpected) {
  EXPECT_EQ(flag_error({"--count", "many"}),
            "--count: a whole number >= 1 was expected, not 'many'");
  EXPECT_EQ(flag_error({"-c", "0"}), "-c: a whole number >= 1 was expected, not '0'");
  EXPECT_EQ(flag_error({"--rate", "1"}), "--rate: a number in (0, 1) was expected, not '1'");
  EXPECT_EQ(flag_error({"--rate", "nan"}), "--rate: a number in (0, 1) was expected, not 'nan'");
  EXPECT_EQ(flag_error({"--colour=blue"}),
            "--colour: one of red, green, no was expected, not 'blue'");
  EXPECT_EQ(flag_error({"--kind=blue"}), "--kind: one of auto, half was expected, not 'blue'");
  EXPECT_EQ(flag_error({"--kind=hlaf"}),
            "--kind: one of auto, half was expected, not 'hlaf' (did you mean 'half'?)");
  EXPECT_THAT(flag_error({"--colour=gren"}), HasSubstr("(did you mean 'green'?)"));
  EXPECT_EQ(flag_error({"--memory=lots"}),
            "--memory: a size such as 8GiB or 500MB was expected, not 'lots'");
  EXPECT_EQ(flag_error({"--count"}), "--count: a whole number >= 1 was expected after it");
  EXPECT_EQ(flag_error({"--count", "--name", "x"}),
            "--count: a whole number >= 1 was expected after it");
  EXPECT_THAT(flag_error({"--count", "99999999999999999999"}), HasSubstr("a whole number"));
}

TEST(CommandLine, PositionalsAndWhatIsNeeded) {
  std::string out;
  std::int64_t seed = 0;
  const auto make = [&] {
    auto options = std::make_unique<OptionSet>("tool init", "Makes.");
    options->add("seed", seed, "a seed", {.required = true});
    options->add_positional("OUT", out, "the folder", {.required = true});
    return options;
  };
  const auto all = make();
  EXPECT_TRUE(all->parse({"--seed", "5", "folder"}));
  EXPECT_EQ(out, "folder");
  EXPECT_EQ(seed, 5);
  EXPECT_THROW(make()->parse({"folder"}), UserError);
  EXPECT_THROW(make()->parse({"--seed", "5"}), UserError);
  EXPECT_THROW(make()->parse({"--seed", "5", "a", "b"}), UserError);
  EXPECT_THROW(make()->parse({"--OUT", "a"}), UserError);
  EXPECT_THAT(help_page(make()->describe(), "", {}), HasSubstr("usage: tool init [options] OUT\n"));
}

TEST(Yaml, ReadsPlainNamesAndValues) {
  Sample s;
  s.yaml(
      "# a recipe\nsome_flag: yes\ncount: 12\nrate: 5e-7\nname: \"null\"\ncolour: no\n"
      "files:\n- a,b\n- c\nratio: null\nmemory: 500MB\nfolder: None\n");
  EXPECT_TRUE(s.flag);
  EXPECT_EQ(s.count, 12);
  EXPECT_EQ(s.rate, 5e-7);
  EXPECT_EQ(s.colour, Colour::no);
  EXPECT_THAT(s.files, ElementsAre("a,b", "c"));
  EXPECT_EQ(s.ratio, std::nullopt);
  EXPECT_EQ(s.memory.count, 500'000'000u);
  EXPECT_EQ(s.folder, "");
  EXPECT_EQ(s.options.place("count"), "r.yaml:3: count");
}

TEST(Yaml, EmptyFilesSayNothing) {
  for (const char* text : {"", "# nothing\n", "---\n", "{}"}) {
    Sample s;
    s.yaml(text);
    EXPECT_EQ(s.count, 3);
  }
}

TEST(Yaml, NamesTheLine) {
  EXPECT_EQ(yaml_error("rate: 0.1\ncuont: 3\n"),
            "r.yaml:2: unknown key 'cuont' (did you mean 'count'?); tool run --help lists them");
  EXPECT_EQ(yaml_error("rate: 0.1\n\ncount: many\n"),
            "r.yaml:3: count: a whole number >= 1 was expected, not 'many'");
  EXPECT_EQ(yaml_error("count: [1, 2]"),
            "r.yaml:1: count: one value was expected, not a list of 2");
  EXPECT_EQ(yaml_error("count: []"), "r.yaml:1: count: one value was expected, not a list of 0");
  EXPECT_EQ(yaml_error("count: {a: 1}"),
            "r.yaml:1: count: a value or a list was expected, not a mapping");
  EXPECT_EQ(yaml_error("count: \"1\\0\""),
            "r.yaml:1: count: a text without a zero byte was expected");
  EXPECT_THAT(yaml_error("files: [[a]]"), HasSubstr("r.yaml:1: files: plain values"));
  EXPECT_THAT(yaml_error("count: 1\nn: 2\n"),
              HasSubstr("r.yaml:2: 'n' contradicts r.yaml:1, which sets the same option"));
  EXPECT_THAT(yaml_error("count: 1\ncount: 2\n"), HasSubstr("contradicts"));
  EXPECT_THAT(yaml_error("- a\n- b\n"), HasSubstr("a mapping of option names"));
  EXPECT_THAT(yaml_error("just text"), HasSubstr("a mapping of option names"));
  EXPECT_THAT(yaml_error("a: b: c"), HasSubstr("r.yaml:1: not valid YAML"));
  EXPECT_THAT(yaml_error("a: [1, 2\n"), HasSubstr("not valid YAML"));
}

TEST(Yaml, OtherTrainersKeysAreNoticedNotIgnored) {
  Sample s;
  s.yaml("hub_model_id: someone/model\ntags:\n- mine\nuse_peft: false\nsync_ref_model: no\n");
  ASSERT_EQ(s.options.remarks().size(), 3u);  // one for each reason
  EXPECT_EQ(s.options.remarks()[0].text,
            "r.yaml:1: 'hub_model_id', 'tags' are not used: nothing is uploaded");
  EXPECT_THAT(yaml_error("use_peft: true\n"),
              HasSubstr("r.yaml:1: use_peft: 'true' is not supported"));
  EXPECT_THAT(yaml_error("sync_ref_model: true\n"),
              HasSubstr("the reference model does not change"));
}

TEST(Yaml, AFlagMayStandForAValue) {
  Sample on;
  on.yaml("kind: null\nfp16: true\n");
  EXPECT_EQ(on.kind, "half");
  EXPECT_THAT(on.options.remarks()[0].text, HasSubstr("'fp16' is read as kind: half"));
  Sample off;
  off.yaml("fp16: false\n");
  EXPECT_EQ(off.kind, "auto");
  EXPECT_THAT(yaml_error("kind: auto\nfp16: true\n"), HasSubstr("keep one of the two"));
  Sample both;
  both.yaml("kind: half\nfp16: true\n");
  EXPECT_EQ(both.kind, "half");
  Sample flag;
  flag.read({"--fp16"});
  EXPECT_EQ(flag.kind, "half");
}

class Precedence : public FolderTest {
 protected:
  void TearDown() override {
    FolderTest::TearDown();
    ::unsetenv("LMPO_COUNT");
    ::unsetenv("LMPO_FILES");
    ::unsetenv("LMPO_TEST_FROM_RECIPE");
  }
  fs::path write_recipe(const char* text) {
    fs::path path = folder_ / "recipe.yaml";
    write_file_atomically(path, text);
    return path;
  }
};

TEST_F(Precedence, FlagsBeatEnvironmentBeatsFileBeatsDefaults) {
  const fs::path recipe = write_recipe("count: 10\nrate: 0.25\nname: file\n");
  ::setenv("LMPO_COUNT", "20", 1);
  ::setenv("LMPO_FILES", "a,b", 1);
  Sample s;
  ASSERT_TRUE(s.options.parse({recipe.string(), "--name", "flag"}));
  EXPECT_EQ(s.count, 20);
  EXPECT_EQ(s.rate, 0.25);
  EXPECT_EQ(s.name, "flag");
  EXPECT_THAT(s.files, ElementsAre("a", "b"));
  Sample flag;
  ASSERT_TRUE(flag.options.parse({"--config=" + recipe.string(), "--count", "30"}));
  EXPECT_EQ(flag.count, 30);
  Sample null;  // the command line takes the file's value back
  ASSERT_TRUE(null.options.parse({recipe.string(), "--rate", "None"}));
  EXPECT_EQ(null.rate, 0.5);

  const ordered_json record = s.options.record();
  EXPECT_EQ(record.at("count").dump(),
            R"({"value":20,"source":"environment","place":"LMPO_COUNT"})");
  EXPECT_EQ(record.at("rate").at("place"), recipe.string() + ":2");
  EXPECT_EQ(record.at("name").dump(), R"({"value":"flag","source":"flag","place":"--name"})");
  EXPECT_EQ(record.at("colour").dump(), R"({"value":"red","source":"default"})");
  EXPECT_EQ(record.at("ratio").at("value"), nullptr);
}

TEST_F(Precedence, ErrorsOfTheEnvironmentNameTheVariable) {
  ::setenv("LMPO_COUNT", "x", 1);
  EXPECT_THAT(message_of([](Sample& s) { s.options.parse({}); }), HasSubstr("LMPO_COUNT: "));
}

TEST_F(Precedence, TheRecipeMaySetTheEnvironment) {
  const fs::path recipe = write_recipe(
      "env:\n  LMPO_TEST_FROM_RECIPE: hello\n  LMPO_COUNT: 8\n  LD_TEST_FROM_RECIPE: evil\n");
  Sample s;
  ASSERT_TRUE(s.options.parse({recipe.string()}));
  EXPECT_STREQ(std::getenv("LMPO_TEST_FROM_RECIPE"), "hello");
  // Only variables of the program and its libraries.
  EXPECT_EQ(std::getenv("LD_TEST_FROM_RECIPE"), nullptr);
  EXPECT_THAT(s.options.remarks().at(0).text, HasSubstr("env: LD_TEST_FROM_RECIPE is not set"));
  EXPECT_EQ(s.count, 8);
}

TEST_F(Precedence, AMissingRecipeIsNamed) {
  EXPECT_THAT(message_of([](Sample& s) { s.options.parse({"/nowhere/r.yaml"}); }),
              HasSubstr("/nowhere/r.yaml"));
}

TEST(Help, ShowsGroupsDefaultsAndEnvironment) {
  Sample s;
  s.options.section("Examples", "  tool run recipe.yaml\n");
  const std::string help = help_page(s.options.describe(), "", {});
  EXPECT_THAT(
      help,
      AllOf(HasSubstr("usage: tool run [RECIPE.yaml] [options]\nRuns.\n"), HasSubstr("\nFirst\n"),
            HasSubstr("\nSecond\n"), HasSubstr("  -c, --count, --n N"),
            HasSubstr("--eager, --no_eager"), HasSubstr("a count [default: 3] (env: LMPO_COUNT)"),
            HasSubstr("--colour {red|green|no}"),
            HasSubstr("a ratio [default: rate / 2] (env: LMPO_RATIO)"),
            HasSubstr("--files FILE,..."), HasSubstr("\nExamples\n  tool run recipe.yaml\n"),
            Not(HasSubstr("number"))));
  std::size_t start = 0;
  while (start < help.size()) {
    const auto end = help.find('\n', start);
    EXPECT_LE(end - start, 100u) << help.substr(start, end - start);
    start = end + 1;
  }
  EXPECT_FALSE(Sample().options.read_arguments({"--count", "5", "-h"}));
}

TEST(Help, MarkdownHasARowForEveryOption) {
  Sample s;
  const std::string table = options_markdown(s.options.describe());
  EXPECT_THAT(table,
              AllOf(HasSubstr("### First\n\n| option | default | meaning |\n|---|---|---|\n"),
                    HasSubstr("| `count`, `n`, `-c` | 3 | a count |\n"),
                    HasSubstr("| `colour` | red | a colour; one of red, green, no |\n")));
}

TEST(Bytes, ReadsAndWritesSizes) {
  const std::vector<std::pair<const char*, std::uint64_t>> sizes = {
      {"0", 0},         {"17", 17},          {"5GB", 5'000'000'000}, {"5 gb", 5'000'000'000},
      {"1.5KiB", 1536}, {"2Ti", 2ull << 40}, {"3M", 3'000'000},      {"10b", 10}};
  for (const auto& [text, count] : sizes) {
    EXPECT_EQ(parse_bytes(text), Bytes{count}) << text;
  }
  for (const char* text : {"", "GB", "5XB", "-5GB", "1e3MB", "99999999TB", "5GB5", "1..2"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
  for (const std::uint64_t count : {0ull, 1ull, 1000ull, 1024ull, 5'000'000'000ull, 3ull << 30}) {
    EXPECT_EQ(parse_bytes(format_bytes({count})), Bytes{count});
  }
  EXPECT_EQ(format_bytes({5'000'000'000}), "5GB");
  EXPECT_EQ(format_bytes({8ull << 30}), "8GiB");
}

TEST(Range, SaysAndChecksItsEnds) {
  EXPECT_EQ(kPositive.text(), " > 0");
  EXPECT_EQ(at_least(2).text(), " >= 2");
  EXPECT_EQ(within(0, 1).text(), " in [0, 1]");
  EXPECT_EQ(Range{}.text(), "");
  EXPECT_FALSE(kPositive.contains(0));
  EXPECT_TRUE(within(0, 1).contains(1));
  EXPECT_FALSE(kInsideUnit.contains(1));
}

}  // namespace
}  // namespace lmpo

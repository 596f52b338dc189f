// Flags and arguments of a command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recipe/pages/help_page.h"
#include "recipe/testing/sample_options.h"

namespace lmpo::command_line_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  for (const std::vector<std::string>& given :
       {std::vector<std::string>{"--files", "a", "b"}, {"r.yaml", "--files", "a", "b"}}) {
    EXPECT_EQ(
        flag_error(given),
        "unexpected argument 'b'; to give --files several values, repeat it: --files A --files B");
  }
  Sample recipe;
  recipe.read({"--files", "a", "r.yaml"});
  EXPECT_THAT(recipe.files, ElementsAre("a"));
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
}  // namespace
}  // namespace lmpo::command_line_test

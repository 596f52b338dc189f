// Options from YAML and the environment, their precedence, their help.
#include "recipe/option_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing/test_folder.h"
#include "recipe/pages/help_page.h"
#include "recipe/pages/markdown.h"
#include "recipe/testing/sample_options.h"

namespace lmpo::option_set_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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

}  // namespace
}  // namespace lmpo::option_set_test

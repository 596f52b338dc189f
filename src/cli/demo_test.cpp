// lmpo demo with a handful of steps: its tables, and that it goes on where it was broken off.
#include <csignal>

#include "cli/testing/program.h"

namespace lmpo::demo_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Demo : public ProgramTest {
 protected:
  Words demo(const fs::path& out, const Words& more = {}) const {
    Words words = {"demo",        out.string(), "--seeds",         "1",
                   "--max_steps", "2",          "--sft_max_steps", "4",
                   "--jobs",      "2",          "--parts",         "lambda"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(Demo, OneAtATimeInAFolder) {
  EXPECT_EQ(run(demo(path("out"), {"--jobs", "0"})).exit_code, 2);
  EXPECT_FALSE(fs::exists(path("out")));
  Program first(demo(path("out")));
  ASSERT_TRUE(first.read_until("1/"));
  const Result second = run(demo(path("out")));
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("another program"));
}

TEST_F(Demo, EndsInTheSameTablesWhenItWasBrokenOff) {
  const Result whole = run(demo(path("whole")));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.out, AllOf(HasSubstr("win rate at equal length %"), HasSubstr("lambda = 0.05"),
                               HasSubstr("Means over 1 seed ")));
  EXPECT_THAT(whole.err, HasSubstr("5/5"));
  {
    Program program(demo(path("broken")));
    ASSERT_TRUE(program.read_until(" 2/5"));
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait().exit_code, -SIGKILL);
  }
  {
    Program program(demo(path("broken")));
    ASSERT_TRUE(program.read_until(" left\n"));
    program.signal(SIGTERM);
    const Result stopped = program.wait();
    ASSERT_EQ(stopped.exit_code, 130) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("Resume with the same command"));
  }
  const Result resumed = run(demo(path("broken")));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("sft")));
  const auto tables = [](const Result& result) {
    return result.out.substr(0, result.out.find("Curves"));
  };
  EXPECT_EQ(tables(resumed), tables(whole));
  EXPECT_THAT(read_file(path("whole") / "report.html"),
              AllOf(HasSubstr("lambda = 0.05"), HasSubstr("win rate at equal length %")));
  for (const char* file : {"results.json", "results.md", "lambda.svg"}) {
    EXPECT_EQ(read_file(path("broken") / file), read_file(path("whole") / file)) << file;
  }

  const Result again = run(demo(path("whole")));
  EXPECT_EQ(again.err, "");
  EXPECT_EQ(again.out, whole.out);

  const Result full = run(demo(path("full")), {.largest_file = 50'000});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("writing failed"));
}

TEST_F(Demo, RefusesAFolderOfSomethingElse) {
  fs::create_directories(path("other"));
  write_file_atomically(path("other") / "thesis.txt", "x");
  const Result refused = run(demo(path("other")));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("name another one: lmpo demo OUT"));
  write_file_atomically(path("file"), "x");
  EXPECT_EQ(run(demo(path("file"))).exit_code, 2);
  write_file_atomically(path("other") / "demo.json", R"({"lmpo": "0.0.1"})");
  EXPECT_THAT(run(demo(path("other"))).err, HasSubstr("started by another version"));
  EXPECT_THAT(run({"demo", path("new").string(), "--parts", "method"}).err,
              HasSubstr("methods, ablations, lambda, home_advantage"));
  EXPECT_FALSE(fs::exists(path("new")));
}

}  // namespace
}  // namespace lmpo::demo_test

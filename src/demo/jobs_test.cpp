#include "demo/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "base/error.h"

namespace lmpo::jobs_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Jobs of a shell, whose words are "-c" and a script.
class Jobs : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            fmt::format("jobs-{}-{}", ::getpid(),
                        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static Job shell(const std::string& folder, const std::vector<std::string>& scripts) {
    Job job{folder, {}};
    for (const std::string& script : scripts) {
      job.commands.push_back({"-c", script});
    }
    return job;
  }
  bool run(const std::vector<Job>& jobs, std::int64_t at_once = 1) {
    ended_.clear();
    return run_jobs(root_, jobs, {.at_once = at_once, .program = "/bin/sh"},
                    [&](const JobProgress& progress) {
                      ended_.push_back(progress.job.folder.string());
                      EXPECT_EQ(progress.done, std::ssize(ended_));
                    });
  }
  std::string content(const std::string& name) const { return read_file(root_ / name); }

  fs::path root_;
  std::vector<std::string> ended_;
};

TEST_F(Jobs, CommandsRunInTheirOrderInTheFolderOfAll) {
  const std::vector<Job> jobs = {shell("a", {"echo one >> a/out", "echo two >> a/out; echo said"}),
                                 shell("b", {"cat a/out > b/out"})};
  EXPECT_TRUE(run(jobs));
  EXPECT_THAT(ended_, ElementsAre("a", "b"));
  EXPECT_EQ(content("b/out"), "one\ntwo\n");
  EXPECT_THAT(content("a/log.txt"), HasSubstr("$ lmpo -c echo one"));
  EXPECT_THAT(content("a/log.txt"), HasSubstr("\nsaid\n"));
}

TEST_F(Jobs, WhatIsDoneIsNotDoneAgain) {
  std::vector<Job> jobs = {shell("a", {"echo x >> count"})};
  EXPECT_TRUE(run(jobs));
  EXPECT_TRUE(run(jobs));
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(content("count"), "x\n");

  jobs[0].basis = "something else";
  EXPECT_FALSE(is_done(root_, jobs[0]));
  EXPECT_TRUE(run(jobs));
  jobs[0].commands[0][1] += " ";
  EXPECT_TRUE(run(jobs));
  EXPECT_EQ(content("count"), "x\nx\nx\n");

  write_file_atomically(root_ / "a/done.json", "{\"commands\": [");
  EXPECT_TRUE(run(jobs));
  EXPECT_EQ(content("count"), "x\nx\nx\nx\n");
}

TEST_F(Jobs, WhatWasBrokenOffBeginsAnew) {
  fs::create_directories(root_ / "a");
  write_file_atomically(root_ / "a/left_over", "");
  EXPECT_TRUE(run({shell("a", {"ls a > listing"})}));
  EXPECT_EQ(content("listing"), "log.txt\n");
}

TEST_F(Jobs, SeveralRunAtOnce) {
  // Each waits for the other.
  const std::string meet =
      "touch {0}/here; for i in $(seq 500); do [ -e {1}/here ] && exit 0; "
      "sleep 0.02; done; exit 1";
  EXPECT_TRUE(run({shell("a", {fmt::format(fmt::runtime(meet), "a", "b")}),
                   shell("b", {fmt::format(fmt::runtime(meet), "b", "a")})},
                  2));
}

TEST_F(Jobs, AFailureNamesTheLogAndStopsTheOthers) {
  const std::vector<Job> jobs = {shell("a", {"echo $$ > pid; exec sleep 100"}),
                                 shell("b", {"while [ ! -s pid ]; do sleep 0.02; done; "
                                             "echo no such luck >&2; exit 3"})};
  try {
    run(jobs, 2);
    FAIL();
  } catch (const MachineError& error) {
    EXPECT_THAT(error.what(), HasSubstr("b failed: lmpo -c while"));
    EXPECT_THAT(error.what(), HasSubstr("b/log.txt"));
    EXPECT_THAT(error.what(), HasSubstr("no such luck"));
  }
  EXPECT_EQ(::kill(std::stoi(content("pid")), 0), -1);
  EXPECT_FALSE(is_done(root_, jobs[0]));
  EXPECT_FALSE(is_done(root_, jobs[1]));
}

TEST_F(Jobs, ASignalStopsThem) {
  const std::vector<Job> jobs = {
      shell("a", {fmt::format("kill -TERM {}; exec sleep 100", ::getpid())}),
      shell("b", {"touch never"})};
  EXPECT_FALSE(run(jobs));
  EXPECT_FALSE(fs::exists(root_ / "never"));
}

TEST_F(Jobs, AFailureIsSeenWhereTheProgramWasStartedWithChildrenIgnored) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const std::vector<Job> jobs = {shell("a", {"exit 3"})};
  EXPECT_THROW(run(jobs), MachineError);
  EXPECT_FALSE(is_done(root_, jobs[0]));
  EXPECT_TRUE(run({shell("b", {"true"})}));
  EXPECT_EQ(std::signal(SIGCHLD, before), SIG_IGN);
}

TEST_F(Jobs, WhatThisProgramDoesAboutSignalsIsNotTheirs) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask);
  for (const char* signal : {"PIPE", "TERM"}) {
    EXPECT_THROW(run({shell(signal, {fmt::format("kill -{} $$; exit 0", signal)})}), MachineError);
  }
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGPIPE, before);
}

TEST_F(Jobs, WhatIsNoProgramFails) {
  EXPECT_THROW(run_jobs(root_, std::vector{shell("a", {"x"})}, {.program = root_ / "absent"},
                        [](const JobProgress&) {}),
               MachineError);
}

}  // namespace
}  // namespace lmpo::jobs_test

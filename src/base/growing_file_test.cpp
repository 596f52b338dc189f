// Files that grow, and who may write them.
#include "base/growing_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <sstream>

#include "base/file_lock.h"
#include "base/testing/test_folder.h"

namespace lmpo::growing_file_test {
namespace {

using ::testing::HasSubstr;

class GrowingFiles : public FolderTest {
 protected:
  // Another process that does `action` and then waits to be killed; returns once it waits.
  template <typename Action>
  static pid_t start(Action&& action) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      action([&] {
        EXPECT_EQ(::write(ends[1], "!", 1), 1);
        ::pause();
      });
      ::_exit(1);
    }
    char ready = 0;
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    return child;
  }
  static void kill_and_wait(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
};

TEST_F(GrowingFiles, AFailedAppendLeavesTheFileAsItWas) {
  const fs::path path = folder_ / "log";
  append_to_file(path, "one\n");
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small = {6, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(append_to_file(path, "a longer line\n"), MachineError);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(path), "one\n");
  append_to_file(path, "two\n");
  EXPECT_EQ(read_file(path), "one\ntwo\n");
  EXPECT_THROW(append_to_file(folder_ / "none/log", "x"), MachineError);
  EXPECT_THROW(append_to_file("/dev/full", "x"), MachineError);
}

TEST_F(GrowingFiles, LinesOfTwoProcessesDoNotMix) {
  const fs::path path = folder_ / "log";
  constexpr int kLines = 200;
  const auto write_lines = [&](char letter) {
    for (int i = 0; i < kLines; ++i) {
      append_line(path, std::string(100 + 37 * static_cast<std::size_t>(i), letter));
    }
  };
  const pid_t child = ::fork();
  if (child == 0) {
    write_lines('b');
    ::_exit(0);
  }
  write_lines('a');
  ::waitpid(child, nullptr, 0);
  std::map<char, int> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) {
    const char letter = line.at(0);
    EXPECT_EQ(line, std::string(100 + 37 * static_cast<std::size_t>(lines[letter]), letter));
    ++lines[letter];
  }
  EXPECT_EQ(lines, (std::map<char, int>{{'a', kLines}, {'b', kLines}}));
}

TEST_F(GrowingFiles, ALockEndsWithItsProcessHoweverThatEnds) {
  const fs::path path = folder_ / "log";
  append_line(path, "x");
  for (const fs::path& locked : {path, folder_}) {
    EXPECT_FALSE(FileLock::is_held(locked));
    const pid_t child = start([&](const auto& wait) {
      const FileLock lock(locked);
      wait();
    });
    EXPECT_TRUE(FileLock::is_held(locked));
    EXPECT_THAT(user_error_of([&] { FileLock lock(locked); }),
                HasSubstr(locked.string() + ": another program is writing it"));
    EXPECT_TRUE(FileLock::is_held(locked));  // asking took nothing
    kill_and_wait(child);
    EXPECT_FALSE(FileLock::is_held(locked));
    const FileLock own(locked);
    EXPECT_TRUE(FileLock::is_held(locked));  // another object of this program counts too
    EXPECT_NE(user_error_of([&] { FileLock lock(locked); }), "");
  }
  EXPECT_FALSE(FileLock::is_held(path));
  append_line(path, "y");
  EXPECT_EQ(read_file(path), "x\ny\n");
  EXPECT_FALSE(FileLock::is_held(folder_ / "none"));
  EXPECT_THAT(user_error_of([&] { FileLock lock(folder_ / "none"); }), HasSubstr("cannot be read"));
}

// A program that a lock's owner starts does not hold the lock on.
TEST_F(GrowingFiles, ALockIsNotInheritedByPrograms) {
  const fs::path path = folder_ / "log";
  append_line(path, "x");
  pid_t sleeper = 0;
  {
    const FileLock lock(path);
    // Returns when the other program runs, which fork does not.
    std::array<char*, 3> words = {const_cast<char*>("sleep"), const_cast<char*>("60"), nullptr};
    ASSERT_EQ(::posix_spawnp(&sleeper, "sleep", nullptr, nullptr, words.data(), environ), 0);
  }
  EXPECT_FALSE(FileLock::is_held(path));
  kill_and_wait(sleeper);
}

}  // namespace
}  // namespace lmpo::growing_file_test

// What is read: files, pipes, and what is neither.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/line_input.h"
#include "base/random.h"
#include "base/testing/test_folder.h"
#include "base/threads.h"

namespace lmpo::input_test {
namespace {

using ::testing::HasSubstr;

class Inputs : public FolderTest {};

TEST_F(Inputs, WhatMayNeverEndIsRefusedByName) {
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const fs::path& path : {fs::path("/dev/zero"), fs::path("/dev/null"), fifo, folder_}) {
    EXPECT_THAT(user_error_of([&] { read_file(path); }), HasSubstr(path.string() + ": is a "));
    EXPECT_THAT(user_error_of([&] { MappedFile file(path); }), HasSubstr(path.string()));
  }
}

TEST_F(Inputs, AShellsPipeIsRead) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor input(ends[0]);
  std::thread writer([&] {
    const Descriptor output(ends[1]);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(write_all(output.get(), "text\n", 5), 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(read_file(fmt::format("/dev/fd/{}", input.get())), "text\ntext\ntext\n");
  writer.join();
  EXPECT_THAT(user_error_of([&] { MappedFile file(fmt::format("/dev/fd/{}", input.get())); }),
              HasSubstr("is a FIFO"));
}

TEST_F(Inputs, LinesAreCutAtTheirEndsAndBounded) {
  std::istringstream text("one\r\n\ntwo");
  LineInput input(text, "standard input");
  std::string line;
  std::vector<std::string> lines;
  while (input.read(line)) {
    lines.push_back(line);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "", "two"}));

  std::ifstream endless("/dev/zero");
  LineInput zeros(endless, "standard input");
  EXPECT_THAT(user_error_of([&] { zeros.read(line); }), HasSubstr("standard input: line 1"));
}

// Texts of every kind of line end, joined, are what was read: only "\n" ends a line, and one "\r"
// before it, or at the end of the text, belongs to the end.
TEST_F(Inputs, LinesHoldEverythingButTheirEnds) {
  Random random(4, 0);
  for (int round = 0; round < 500; ++round) {
    std::string text(random.below(12), ' ');
    std::generate(text.begin(), text.end(), [&] { return "ab\r\n\0\xFF"[random.below(6)]; });
    std::vector<std::string> expected(text.empty() ? 0 : 1);
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool ends = text[at] == '\n';
      if (text[at] == '\r' && (at + 1 == text.size() || text[at + 1] == '\n')) {
        continue;
      }
      ends ? expected.emplace_back() : expected.back() += text[at];
    }
    if (text.ends_with('\n')) {
      expected.pop_back();
    }
    std::istringstream stream(text);
    LineInput input(stream, "t");
    std::vector<std::string> lines;
    for (std::string line; input.read(line);) {
      lines.push_back(line);
    }
    EXPECT_EQ(lines, expected) << text;
  }
}

TEST_F(Inputs, LinesOfAnyLengthAreWhole) {
  for (const std::size_t size :
       {4093U, 4094U, 4095U, 4096U, 4097U, 8189U, 8190U, 8191U, 100'000U}) {
    const std::string first(size, 'a');
    for (const char* end : {"\n", "\r\n"}) {
      for (const std::string& second : {std::string("b"), std::string("b\n"), first, first + end}) {
        std::istringstream stream(first + end + second);
        LineInput input(stream, "t");
        std::string line;
        ASSERT_TRUE(input.read(line));
        EXPECT_TRUE(line == first) << size;
        ASSERT_TRUE(input.read(line));
        EXPECT_TRUE(line == (second[0] == 'b' ? "b" : first)) << size;
        EXPECT_FALSE(input.read(line));
      }
    }
  }
}

// Reads all of a file that was cut after it was mapped.
[[noreturn]] void read_what_is_gone(const fs::path& path, int threads) {
  const MappedFile other(path.parent_path() / "other");
  const MappedFile file(path);
  fs::resize_file(path, 1);
  set_threads(threads);
  std::atomic<int> sum = 0;
  parallel_each(8, [&](std::int64_t part) {
    const std::size_t at = file.bytes().size() / 8 * static_cast<std::size_t>(part);
    sum += std::to_integer<int>(file.bytes()[at + 5000]);
  });
  ::_exit(sum == 0 ? 3 : 4);
}

using InputsDeathTest = Inputs;

TEST_F(InputsDeathTest, AFileThatShrinksEndsTheProgramByName) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const fs::path path = folder_ / "data.jsonl";
  std::ofstream(folder_ / "other") << std::string(1 << 16, 'b');
  for (const int threads : {1, 3}) {
    std::ofstream(path) << std::string(1 << 20, 'a');
    EXPECT_EXIT(read_what_is_gone(path, threads), ::testing::ExitedWithCode(1),
                "error: .*data.jsonl: was cut short while it was being read");
  }
}

TEST_F(InputsDeathTest, AnotherBusErrorIsASignal) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  std::ofstream(folder_ / "a") << "text";
  EXPECT_EXIT(
      {
        const MappedFile file(folder_ / "a");
        ::raise(SIGBUS);
        ::raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace lmpo::input_test

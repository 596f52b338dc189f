// The real program, run as its users run it, and a tiny world to run it in. For tests only.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo {

// A command line.
using Words = std::vector<std::string>;

struct Result {
  int exit_code = 0;  // minus the signal where one ended the program
  std::string out;
  std::string err;
};

// Where standard error goes: a pipe that is read, a full device, nowhere, or a pipe that nobody reads.
enum class StandardError { read, full, closed, unread };

struct Surroundings {
  std::string input = "";                        // standard input
  std::optional<std::size_t> largest_file = {};  // bytes; writing beyond fails
  std::optional<fs::path> out_to = {};           // a file for standard output
  StandardError err_to = StandardError::read;
  std::vector<std::pair<std::string, std::string>> environment = {};
  fs::path program = lmpo_binary();
  std::chrono::seconds timeout{240};  // sanitizers are slow
};

// A started program. What it says on standard error passes through a pipe of one page, so it is
// never much further than what has been read here: a test can stop it in the middle for certain.
class Program {
 public:
  explicit Program(const Words& arguments, Surroundings surroundings = {});
  ~Program();  // kills it where it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads until the text was said; a failure, and false, where the program ended before.
  bool read_until(const std::string& text);
  void signal(int number) const;
  bool is_running() const;
  // Reads to the end.
  Result wait();

 private:
  bool read_more();  // false: end of standard error, or timeout

  Surroundings surroundings_;
  fs::path folder_;  // for standard input and output
  std::string err_;
  std::chrono::steady_clock::time_point end_;
  pid_t child_ = -1;
  int pipe_ = -1;
};

Result run(const Words& arguments, Surroundings surroundings = {});

// A folder of its own for each test, and in it a model with its data, made once a process by the
// program itself: a model of two small layers, its tokenizer and chat template, 40 answers, 48
// preferences.
class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Read-only, shared by the tests of a process.
  static const fs::path& model();
  static fs::path world(const std::string& file);
  // lmpo train over the world's preferences, every step logged.
  static Words training(const fs::path& out, const Words& more = {});

  // In the test's folder.
  fs::path path(const std::string& name) const { return folder_ / name; }
  fs::path write(const std::string& name, const std::string& content) const;
  fs::path copy_of_model(const std::string& name) const;
  // The world's model with a head of `labels` rows that reads the hidden state.
  fs::path reward_model(const std::string& name, std::int64_t labels) const;
  // Changes a JSON file in place.
  template <typename Edit>
  static void edit_json(const fs::path& file, Edit&& edit) {
    ordered_json content = ordered_json::parse(read_file(file));
    edit(content);
    write_file_atomically(file, content.dump());
  }

  fs::path folder_;
};

// The contents of all files under a folder by their path in it; empty where there is none.
using Contents = std::map<std::string, std::string>;
Contents contents(const fs::path& folder);
// The paths whose content is not the same.
std::vector<std::string> changes(const Contents& before, const Contents& after);

// One value a line.
std::vector<json> json_lines(const std::string& text);

}  // namespace lmpo

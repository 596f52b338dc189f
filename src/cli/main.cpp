// The program: which command runs, and what each kind of failure means to the shell.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/standard_streams.h"
#include "cli/command_table.h"
#include "cli/complete.h"
#include "demo/child_process.h"
#include "recipe/pages/completion.h"

namespace lmpo {
namespace {

// --completion SHELL, --completion=SHELL, --completion-SHELL
void print_completion(const std::vector<std::string>& words) {
  std::string shell = words[0].substr(std::string_view("--completion").size());
  if (shell.empty() && words.size() > 1) {
    shell = "=" + words[1];
  }
  fmt::print("{}", completion_script(shell.substr(shell.empty() ? 0 : 1)));
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    find_command("help").run({});
    return 2;
  }
  const bool asks_for_help = words[0] == "--help" || words[0] == "-h";
  const std::string first = asks_for_help ? "help" : words[0];
  if (first == "--version") {
    fmt::print("lmpo {}\n", LMPO_VERSION);
    return 0;
  }
  if (first == "--complete") {
    fmt::print("{}", complete_line({words.begin() + 1, words.end()}));
    return 0;
  }
  if (first.starts_with("--completion")) {
    print_completion(words);
    return 0;
  }
  if (first == "help") {
    return find_command(first).run(with_whole_name({words.begin() + 1, words.end()}));
  }
  const std::vector<std::string> whole = with_whole_name(words);
  return find_command(whole[0]).run({whole.begin() + 1, whole.end()});
}

// Results that did not arrive must not look like a success: the disk may be full.
void finish_output() {
  const bool streamed = static_cast<bool>(std::cout.flush());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !streamed) {
    require_reader();
    throw MachineError("standard output: writing failed");
  }
}

// A path that nobody could open: too long, or behind a folder that is not theirs. Names it.
int report_path(const fs::filesystem_error& error) {
  log_error("{}: {}", error.path1().string(), error.code().message());
  const std::error_condition users[] = {
      std::errc::filename_too_long, std::errc::permission_denied, std::errc::not_a_directory,
      std::errc::no_such_file_or_directory, std::errc::too_many_symbolic_link_levels};
  return std::find(std::begin(users), std::end(users), error.code()) == std::end(users) ? 1 : 2;
}

}  // namespace
}  // namespace lmpo

int main(int count, char** words) {
  lmpo::prepare_standard_streams();
  lmpo::end_with_parent();
  try {
    const int exit_code = lmpo::run({words + 1, words + count});
    lmpo::finish_output();
    return exit_code;
  } catch (const lmpo::UserError& error) {
    lmpo::log_error("{}", error.what());
    return 2;
  } catch (const lmpo::fs::filesystem_error& error) {
    return lmpo::report_path(error);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) {
      lmpo::require_reader();
    }
    lmpo::log_error("{}", error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    lmpo::log_error("out of memory");
    return 1;
  } catch (const std::exception& error) {
    lmpo::log_error("{}", error.what());
    return 1;
  }
}

// Other programs that tests run where they are installed. For tests only.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/testing/program.h"

namespace lmpo {

// In the folders of PATH; "" where there is none.
inline fs::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (fs::is_regular_file(fs::path(folder) / name)) {
      return fs::path(folder) / name;
    }
  }
  return {};
}

// Runs it by the name it has, which some programs look at.
inline Result run_other(const std::string& name, std::vector<std::string> arguments,
                        Surroundings surroundings = {}) {
  arguments.insert(arguments.begin(), name);
  surroundings.program = find_program("env");
  return run(arguments, std::move(surroundings));
}

}  // namespace lmpo

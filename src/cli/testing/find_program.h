// Other programs that tests run where they are installed. For tests only.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>

#include "base/file.h"

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

}  // namespace lmpo

#include "base/path_kind.h"

#include <sys/stat.h>

#include "base/output_target.h"

namespace lmpo {

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_there(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_stream(const fs::path& path) {
  return output_target(path).is_stream;
}

}  // namespace lmpo

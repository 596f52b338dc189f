#include "base/output_target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <utility>

namespace lmpo {
namespace {

constexpr int kMostLinks = 40;  // the system's own limit

// Links in /proc lead to open files; the path they show may not exist.
bool is_in_proc(const fs::path& path) {
  struct statfs status {};
  return ::statfs(path.parent_path().c_str(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

int own_descriptor(const fs::path& path) {
  std::error_code error;
  if (!fs::equivalent(path.parent_path(), "/proc/self/fd", error)) {
    return -1;
  }
  const std::string name = path.filename().string();
  int number = -1;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  return code == std::errc() && end == name.data() + name.size() ? number : -1;
}

}  // namespace

OutputTarget output_target(fs::path path) {
  for (int link = 0; link < kMostLinks; ++link) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
      break;  // created when it is written
    }
    if (!S_ISLNK(status.st_mode)) {
      return {path, !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode), -1};
    }
    if (is_in_proc(path)) {
      return {path, true, own_descriptor(path)};
    }
    std::error_code error;
    const fs::path next = fs::read_symlink(path, error);
    if (error) {
      break;
    }
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return {std::move(path), false, -1};
}

Descriptor open_at_end(const OutputTarget& target) {
  if (target.own_descriptor >= 0) {  // opening it again would write from the start of the file
    return Descriptor(::fcntl(target.own_descriptor, F_DUPFD_CLOEXEC, 3));
  }
  const int make = target.is_stream ? 0 : O_CREAT;
  return Descriptor(::open(target.path.c_str(), O_WRONLY | make | O_APPEND | O_CLOEXEC, 0644));
}

}  // namespace lmpo

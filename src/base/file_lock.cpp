#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace lmpo {

namespace {

Descriptor open(const fs::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

// False if another program holds it.
bool take(const Descriptor& descriptor, int kind) {
  return ::flock(descriptor.get(), kind | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

}  // namespace

FileLock::FileLock(const fs::path& path) : descriptor_(open(path)) {
  if (!descriptor_.is_open()) {
    user_error("{}: cannot be read: {}", path.string(), std::strerror(errno));
  }
  if (!take(descriptor_, LOCK_EX)) {
    user_error("{}: another program is writing it; wait until it ends, or stop it", path.string());
  }
}

bool FileLock::is_held(const fs::path& path) {
  const Descriptor descriptor = open(path);
  return descriptor.is_open() && !take(descriptor, LOCK_SH);
}

}  // namespace lmpo

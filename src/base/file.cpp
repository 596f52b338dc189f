#include "base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/growing_file.h"
#include "base/open_input.h"
#include "base/output_target.h"
#include "base/readable.h"

namespace lmpo {
namespace {

constexpr std::size_t kLargestRead = std::size_t{2} << 30;

const char* kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "folder";
    case S_IFIFO:
      return "FIFO";
    case S_IFSOCK:
      return "socket";
    default:
      return "device";
  }
}

// Pipes without a name have a writer, which a FIFO may wait for without end.
bool is_pipe_without_name(int descriptor) {
  struct statfs status {};
  return ::fstatfs(descriptor, &status) == 0 && status.f_type == PIPEFS_MAGIC;
}

}  // namespace

Descriptor open_input(const fs::path& path, Pipes pipes) {
  // A FIFO that nobody writes would keep a plain open from returning.
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor.is_open()) {
    user_error("{}: cannot be read: {}", path.string(), std::strerror(errno));
  }
  struct stat status {};
  ::fstat(descriptor.get(), &status);
  const bool pipe =
      pipes == Pipes::allowed && S_ISFIFO(status.st_mode) && is_pipe_without_name(descriptor.get());
  if (!pipe && !S_ISREG(status.st_mode)) {
    user_error("{}: is a {}, a file was expected", path.string(), kind_of(status.st_mode));
  }
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) & ~O_NONBLOCK);
  return descriptor;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string read_file(const fs::path& path) {
  const Descriptor descriptor = open_input(path, Pipes::allowed);
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(descriptor.get(), buffer, sizeof buffer);
    if (got == 0) {
      return content;
    }
    if (got < 0 && errno != EINTR) {
      machine_error("{}: reading failed: {}", path.string(), std::strerror(errno));
    }
    content.append(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
    if (content.size() > kLargestRead) {
      user_error("{}: too large: at most {} are read of such a file", path.string(),
                 readable_bytes(kLargestRead));
    }
  }
}

void append_to_file(const fs::path& path, std::string_view content) {
  const Descriptor descriptor = open_at_end(output_target(path));
  int code = descriptor.is_open() ? 0 : errno;
  if (descriptor.is_open()) {
    struct stat before {};
    ::fstat(descriptor.get(), &before);
    code = write_all(descriptor.get(), content.data(), content.size());
    if (code != 0 && S_ISREG(before.st_mode)) {
      [[maybe_unused]] const int cut = ::ftruncate(descriptor.get(), before.st_size);
    }
  }
  if (code != 0) {
    machine_error("{}: writing failed: {}", path.string(), std::strerror(code));
  }
}

void append_line(const fs::path& path, std::string_view line) {
  append_to_file(path, std::string(line) + '\n');
}

}  // namespace lmpo

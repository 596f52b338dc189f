#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/growing_file.h"

namespace lmpo {
namespace {

constexpr std::string_view temporary_suffix = ".incomplete";

fs::path temporary_beside(const fs::path& path) {
  fs::path result = path;
  result += fmt::format("{}-{}", temporary_suffix, ::getpid());
  return result;
}

int open_for_reading(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    user_error("{}: cannot be read: {}", path.string(), std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor);
    user_error("{}: is a folder, a file was expected", path.string());
  }
  return descriptor;
}

// The error's number, or 0 when all is written.
int write_all(int descriptor, const void* data, std::size_t size) {
  const char* cursor = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, cursor, size);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    cursor += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

// The rename itself reaches the disk only when the folder that holds the name is synced.
void sync_folder(const fs::path& folder) {
  const fs::path name = folder.empty() ? fs::path(".") : folder;
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    machine_error("{}: cannot be put in place: {}", to.string(), std::strerror(errno));
  }
  sync_folder(to.parent_path());
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string read_file(const fs::path& path) {
  const int descriptor = open_for_reading(path);
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got > 0) {
      content.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0) {
      break;
    } else if (errno != EINTR) {
      const int code = errno;
      ::close(descriptor);
      machine_error("{}: reading failed: {}", path.string(), std::strerror(code));
    }
  }
  ::close(descriptor);
  return content;
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const int descriptor = open_for_reading(path);
  struct stat status {};
  ::fstat(descriptor, &status);
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapped == MAP_FAILED) {
      const int code = errno;
      ::close(descriptor);
      machine_error("{}: cannot be mapped: {}", path.string(), std::strerror(code));
    }
    data_ = static_cast<const std::byte*>(mapped);
  }
  ::close(descriptor);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

void MappedFile::forget(std::size_t begin, std::size_t end) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = begin / page * page;
  if (data_ != nullptr && end > first && end <= size_) {
    ::madvise(const_cast<std::byte*>(data_ + first), end - first, MADV_DONTNEED);
  }
}

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    machine_error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (const int code = write_all(descriptor_, data, size); code != 0) {
    machine_error("{}: writing failed: {}", path_.string(), std::strerror(code));
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) {
    machine_error("{}: writing failed: {}", path_.string(), std::strerror(errno));
  }
  ::close(std::exchange(descriptor_, -1));
  rename_or_fail(temporary_, path_);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void append_to_file(const fs::path& path, std::string_view content) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const off_t size = descriptor < 0 ? 0 : ::lseek(descriptor, 0, SEEK_END);
  int code = descriptor < 0 ? errno : write_all(descriptor, content.data(), content.size());
  if (descriptor >= 0) {
    if (code != 0 && size >= 0 && ::ftruncate(descriptor, size) != 0) {
      code = errno;
    }
    ::close(descriptor);
  }
  if (code != 0) {
    machine_error("{}: writing failed: {}", path.string(), std::strerror(code));
  }
}

void append_line(const fs::path& path, std::string_view line) {
  append_to_file(path, std::string(line) + '\n');
}

void remove_incomplete(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.find(fmt::format("{}-", temporary_suffix)) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& path : found) {
    fs::remove_all(path);
  }
}

AtomicFolder::AtomicFolder(fs::path final_path)
    : final_path_(std::move(final_path)), temporary_(temporary_beside(final_path_)) {
  std::error_code code;
  fs::remove_all(temporary_, code);
  fs::create_directories(temporary_, code);
  if (code) {
    machine_error("{}: cannot be created: {}", final_path_.string(), code.message());
  }
}

AtomicFolder::~AtomicFolder() {
  if (!committed_) {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }
}

void AtomicFolder::commit() {
  sync_folder(temporary_);
  std::error_code code;
  if (fs::exists(final_path_)) {
    fs::path old = temporary_;
    old += "-old";
    rename_or_fail(final_path_, old);
    rename_or_fail(temporary_, final_path_);
    fs::remove_all(old, code);
  } else {
    rename_or_fail(temporary_, final_path_);
  }
  committed_ = true;
}

}  // namespace lmpo

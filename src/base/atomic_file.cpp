// Files and folders that appear whole, and the removal of those left incomplete.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/output_target.h"
#include "base/path_kind.h"
#include "base/replace_folder.h"
#include "base/temporary_name.h"

namespace lmpo {
namespace {

// A rename reaches the disk only when the parent folder is synced.
void sync_folder(const fs::path& folder) {
  const fs::path name = folder.empty() ? fs::path(".") : folder;
  const Descriptor descriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.is_open()) {
    ::fsync(descriptor.get());
  }
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    machine_error("{}: cannot be renamed into place: {}", to.string(), std::strerror(errno));
  }
  sync_folder(to.parent_path());
}

// Unlike rename, does not replace a folder that appeared meanwhile, if the file system supports that.
void name_folder(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    sync_folder(to.parent_path());
  } else {
    rename_or_fail(from, to);
  }
}

// A program holds a lock on what it is writing; the lock ends with the program. On a file system without
// locks this succeeds always.
bool take(const Descriptor& descriptor) {
  return ::flock(descriptor.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

// Locks something just created; false if another program removed it, or is removing it, meanwhile.
bool keep(const Descriptor& made) {
  struct stat status {};
  return take(made) && ::fstat(made.get(), &status) == 0 && status.st_nlink > 0;
}

// Locks a leftover; none if it belongs to a running program or to another user.
std::optional<Descriptor> take_leftover(const fs::path& path) {
  const int kind = is_folder(path) ? O_RDONLY | O_DIRECTORY : O_RDWR;
  Descriptor descriptor(::open(path.c_str(), kind | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return descriptor.is_open() && take(descriptor) ? std::optional(std::move(descriptor))
                                                  : std::nullopt;
}

bool is_held(const fs::path& path) {
  return !take_leftover(path);
}

void remove_or_warn(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    log_warning("{}: no longer needed, but cannot be removed: {}", path.string(), error.message());
  }
}

// A temporary file or folder of this program, or a folder that is being replaced.
struct Leftover {
  fs::path path;
  std::string final_name;
  bool is_replaced = false;
};

std::vector<Leftover> leftovers_in(const fs::path& folder) {
  std::vector<Leftover> found;
  std::error_code error;
  fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::string_view temporary = name;
    const bool replaced = temporary.ends_with(kReplaced);
    temporary.remove_suffix(replaced ? kReplaced.size() : 0);
    if (const std::string_view whole = final_name(temporary); !whole.empty()) {
      found.push_back({entry->path(), std::string(whole), replaced});
    }
  }
  return found;
}

// Finishes replacements first, since they need the new folder under its temporary name.
void clean(const std::vector<Leftover>& leftovers) {
  for (const Leftover& left : leftovers) {
    if (left.is_replaced) {
      finish_replacement(left.path, left.path.parent_path() / left.final_name, is_held);
    }
  }
  for (const Leftover& left : leftovers) {
    if (const auto lock = left.is_replaced ? std::nullopt : take_leftover(left.path)) {
      remove_or_warn(left.path);
    }
  }
}

void clean_leftovers_of(const fs::path& path) {
  std::vector<Leftover> own = leftovers_in(path.parent_path());
  std::erase_if(own, [&](const Leftover& left) { return left.final_name != path.filename(); });
  clean(own);
}

// Locks of the folders being written, by temporary name.
class FolderLocks {
 public:
  void hold(const fs::path& temporary, Descriptor lock) {
    const std::lock_guard guard(mutex_);
    locks_[temporary] = std::move(lock);
  }
  void release(const fs::path& temporary) {
    const std::lock_guard guard(mutex_);
    locks_.erase(temporary);
  }

 private:
  std::mutex mutex_;
  std::map<fs::path, Descriptor> locks_;
};

FolderLocks& folder_locks() {
  static FolderLocks locks;
  return locks;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) {
  const OutputTarget target = output_target(std::move(path));
  path_ = target.path;
  if (is_folder(path_)) {
    user_error("{}: this is a folder; expected the name of a file", path_.string());
  }
  Descriptor descriptor;
  if (target.is_stream) {
    std::fflush(stdout);  // earlier output comes first
    descriptor = open_at_end(target);
  } else {
    clean_leftovers_of(path_);
    do {
      temporary_ = temporary_beside(path_);
      descriptor =
          Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    } while (descriptor.is_open() && !keep(descriptor));
  }
  if (!descriptor.is_open()) {
    machine_error("{}: cannot be written: {}", path_.string(), std::strerror(errno));
  }
  descriptor_ = descriptor.release();
}

AtomicFile::~AtomicFile() {
  const Descriptor closed(descriptor_);
  if (closed.is_open() && !temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (const int code = write_all(descriptor_, data, size); code != 0) {
    machine_error("{}: writing failed: {}", path_.string(), std::strerror(code));
  }
}

void AtomicFile::commit() {
  if (!temporary_.empty()) {
    if (::fsync(descriptor_) != 0) {
      machine_error("{}: writing failed: {}", path_.string(), std::strerror(errno));
    }
    rename_or_fail(temporary_, path_);
  }
  const Descriptor closed(std::exchange(descriptor_, -1));
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void remove_incomplete(const fs::path& folder) {
  clean(leftovers_in(folder));
}

AtomicFolder::AtomicFolder(fs::path final_path) {
  if (!final_path.has_filename()) {  // "runs/": the temporary folder must be beside it, not inside
    final_path = final_path.parent_path();
  }
  final_path_ = output_target(std::move(final_path)).path;
  if (is_there(final_path_) && !is_folder(final_path_)) {
    user_error("{}: exists and is not a folder; choose another name", final_path_.string());
  }
  clean_leftovers_of(final_path_);
  Descriptor lock;
  do {
    temporary_ = temporary_beside(final_path_);
    std::error_code error;
    fs::create_directories(temporary_, error);
    if (error) {
      machine_error("{}: cannot be created: {}", final_path_.string(), error.message());
    }
    lock = Descriptor(::open(temporary_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  } while (lock.is_open() && !keep(lock));
  folder_locks().hold(temporary_, std::move(lock));
}

AtomicFolder::~AtomicFolder() {
  if (!committed_) {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }
  folder_locks().release(temporary_);
}

void AtomicFolder::commit() {
  sync_folder(temporary_);
  if (is_there(final_path_)) {
    replace_folder(temporary_, final_path_);
    committed_ = true;
    sync_folder(final_path_.parent_path());
    remove_or_warn(is_there(temporary_) ? temporary_ : replaced_name(temporary_));
  } else {
    name_folder(temporary_, final_path_);
    committed_ = true;
  }
}

}  // namespace lmpo

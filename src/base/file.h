// Files: read whole, mapped read-only, or written whole by rename. Nothing is ever written in
// place. Every failure is a UserError (no such file, not readable) or a MachineError (disk full,
// I/O error) that names the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace lmpo {

namespace fs = std::filesystem;

// False too where that cannot be told: a name too long, a folder that is closed.
bool is_folder(const fs::path& path);

// The whole content of a file.
std::string read_file(const fs::path& path);

// A file's bytes, mapped read-only for the life of the object.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const fs::path& path() const { return path_; }
  // Tells the system that a range will not be read again soon, so that it leaves resident memory.
  void forget(std::size_t begin, std::size_t end) const;

 private:
  fs::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A file that appears whole: written beside its final path, synced, then renamed by commit().
// Destroyed without commit, it leaves nothing.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  fs::path path_;
  fs::path temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const fs::path& path, std::string_view content);

// Appends one line and flushes it; for logs that a reader follows while they grow.
void append_line(const fs::path& path, std::string_view line);

// Removes what programs that were killed left in a folder: files and folders that were not whole
// yet.
void remove_incomplete(const fs::path& folder);

// A folder that appears whole: fill path(), then commit() syncs and renames it to its final name.
// An existing folder of that name is replaced. Destroyed without commit, it leaves nothing.
class AtomicFolder {
 public:
  explicit AtomicFolder(fs::path final_path);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const fs::path& path() const { return temporary_; }
  void commit();

 private:
  fs::path final_path_;
  fs::path temporary_;
  bool committed_ = false;
};

}  // namespace lmpo

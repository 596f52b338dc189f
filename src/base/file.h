// Files that are read whole, mapped read-only, or written whole. Nothing is written in place: a
// file is written under a temporary name and then renamed. Every failure is a UserError (no such
// file, not readable) or a MachineError (disk full, I/O error) that names the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace lmpo {

namespace fs = std::filesystem;

// Also false if it cannot be determined: the name is too long, or a parent folder is not readable.
bool is_folder(const fs::path& path);

// The whole content of a file.
std::string read_file(const fs::path& path);

// A file's bytes, mapped read-only. If the file is cut short meanwhile, reading ends the program.
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
  // Releases a range from resident memory; reading it again loads it from the file.
  void forget(std::size_t begin, std::size_t end) const;

 private:
  fs::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// A file that appears whole: written under a temporary name, synced and renamed by commit().
// Destroyed without commit(), it leaves nothing. A device or a FIFO is written directly.
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

// Appends one line and flushes it, for logs that are read while they grow.
void append_line(const fs::path& path, std::string_view line);

// Removes the temporary files and folders that killed programs left in a folder. Those of running
// programs stay.
void remove_incomplete(const fs::path& folder);

// A folder that appears whole: write into path(), then commit() syncs and renames it, replacing an
// existing folder of that name. Destroyed without commit(), it leaves nothing.
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

// The answers of `lmpo generate --output`: a file that grows by whole prompts and, beside it, the
// settings the answers were made with, so that an interrupted run can resume (docs/formats.md).
#pragma once

#include <optional>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/json.h"

namespace lmpo {

class SampleFile {
 public:
  // Looks at what is there and changes nothing yet. UserError where the file cannot be resumed: it
  // has no settings beside it, it was started with others, it holds lines that are not its own, or
  // another program is writing it. A device, a FIFO or /dev/stdout cannot be read back: it only
  // receives the lines.
  SampleFile(fs::path path, ordered_json settings);

  // How many prompts, from the first on, have their answers.
  std::int64_t done() const { return done_; }
  // Adds the line of the next prompt. Before the first one it writes the settings, or cuts off a
  // torn last line. MachineError where there is no room: what was written stays usable.
  void append(std::string_view line);

  // FILE.settings.json
  static fs::path settings_path(const fs::path& file);

 private:
  void begin();
  void compare_settings() const;
  void read_lines();

  fs::path path_;
  ordered_json settings_;
  std::int64_t done_ = 0;
  std::uintmax_t whole_bytes_ = 0;  // of the lines that are done
  bool begun_ = false;
  std::optional<FileLock> lock_;
  std::optional<AtomicFile> stream_;
};

}  // namespace lmpo

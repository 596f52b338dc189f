// The answers of `lmpo generate --output`: a file that grows by whole prompts and, beside it, what
// the answers were made with, so that a run that was broken off can go on (docs/formats.md).
#pragma once

#include <optional>

#include "base/file_lock.h"
#include "base/json.h"

namespace lmpo {

class SampleFile {
 public:
  // Of a device, a FIFO or /dev/stdout nothing can be read back: it takes the lines alone.
  // Looks at what is there and touches nothing yet. UserError where the file is not one that these
  // settings began: it has no settings beside it, others, or lines that are none of its own; or
  // where another program is at it.
  SampleFile(fs::path path, ordered_json settings);

  // Prompts, from the first on, whose answers are there.
  std::int64_t done() const { return done_; }
  // Adds the line of the next prompt. Before the first it writes the settings, or cuts off
  // a torn last line. MachineError where there is no room: what was written stays of use.
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

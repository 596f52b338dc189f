// Locks between programs.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

// Holds a lock on an existing file or folder for the object's life. The system releases it when the
// program ends, also after a crash.
class FileLock {
 public:
  // Throws UserError if another program holds it. On a file system without locks this does nothing.
  explicit FileLock(const fs::path& path);

  // Whether another program, or another object of this program, holds it.
  static bool is_held(const fs::path& path);

 private:
  Descriptor descriptor_;
};

}  // namespace lmpo

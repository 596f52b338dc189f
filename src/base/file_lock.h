// Who may write a file that grows.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

// Holds a file or folder that exists, for the object's life, against other programs that ask for it
// too. The system lets it go when the program ends, however it ends.
class FileLock {
 public:
  // UserError where another program holds it. A file system without locks holds nothing.
  explicit FileLock(const fs::path& path);

  // Whether another program, or another object of this one, holds it.
  static bool is_held(const fs::path& path);

 private:
  Descriptor descriptor_;
};

}  // namespace lmpo

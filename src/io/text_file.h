// A file's text, also where it is compressed.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// Mapped as it is; or, where its first bytes are those of gzip or zstd, unpacked into a file
// without a name (in the system's folder for temporary files) and that one mapped, so that memory
// does not grow with it. Several compressed parts one after another are one text. Throws UserError
// for what cannot be unpacked or unpacks to far more than text can (256 times its size, and more than
// 256 MiB), MachineError where there is no room.
class TextFile {
 public:
  explicit TextFile(const fs::path& path) : file_(open(path)) {}

  std::string_view text() const {
    return {reinterpret_cast<const char*>(file_.bytes().data()), file_.bytes().size()};
  }

 private:
  static MappedFile open(const fs::path& path);

  MappedFile file_;
};

}  // namespace lmpo

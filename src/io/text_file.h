// The text of a file, which may be compressed.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// A plain file is mapped. One that begins as gzip or zstd do is unpacked into an unlinked temporary
// file, which is mapped, so that memory does not grow with it. Several compressed parts in a row are
// one text. UserError for what cannot be unpacked, or unpacks to more than text can: 256 times its
// size and more than 256 MiB. MachineError where the disk is full.
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

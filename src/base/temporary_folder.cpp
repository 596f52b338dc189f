#include "base/temporary_folder.h"

#include <cstdlib>

#include "base/error.h"

namespace lmpo {

fs::path temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  fs::path folder = named != nullptr && *named != '\0' ? named : "/tmp";
  if (!is_folder(folder)) {
    user_error("{}: there is no such folder for temporary files; set TMPDIR to another one",
               folder.string());
  }
  return folder;
}

}  // namespace lmpo

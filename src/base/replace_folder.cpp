#include "base/replace_folder.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/log.h"
#include "base/path_kind.h"

namespace lmpo {
namespace {

[[noreturn]] void fail(const fs::path& final) {
  machine_error("{}: cannot be replaced: {}", final.string(), std::strerror(errno));
}

}  // namespace

fs::path replaced_name(const fs::path& temporary) {
  fs::path name = temporary;
  name += kReplaced;
  return name;
}

void replace_folder(const fs::path& temporary, const fs::path& final) {
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final.c_str(), RENAME_EXCHANGE) == 0) {
    return;
  }
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
    fail(final);
  }
  replace_folder_by_renames(temporary, final);
}

void replace_folder_by_renames(const fs::path& temporary, const fs::path& final) {
  const fs::path replaced = replaced_name(temporary);
  if (::rename(final.c_str(), replaced.c_str()) != 0) {
    fail(final);
  }
  if (::rename(temporary.c_str(), final.c_str()) != 0) {
    const int code = errno;
    ::rename(replaced.c_str(), final.c_str());
    errno = code;
    fail(final);
  }
}

void finish_replacement(const fs::path& replaced, const fs::path& final,
                        const std::function<bool(const fs::path&)>& is_held) {
  fs::path temporary = replaced;
  temporary.replace_filename(replaced.filename().string().substr(
      0, replaced.filename().string().size() - kReplaced.size()));
  if (is_there(temporary) && is_held(temporary)) {
    return;
  }
  std::error_code error;
  if (!is_there(final)) {
    fs::rename(is_there(temporary) ? temporary : replaced, final, error);
    log_info("{}: a program was killed while replacing it; the newer version is kept",
             final.string());
  }
  if (!error) {
    fs::remove_all(replaced, error);
  }
  if (error) {
    log_warning("{}: cannot finish its replacement: {}", final.string(), error.message());
  }
}

}  // namespace lmpo

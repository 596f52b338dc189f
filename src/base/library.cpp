#include "base/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace lmpo {

LoadedLibrary::LoadedLibrary(const std::string& file)
    : handle_(::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    missing_ = ::dlerror();
  }
}

void* LoadedLibrary::look_up(const char* name) {
  void* found = handle_ == nullptr ? nullptr : ::dlsym(handle_, name);
  if (found == nullptr && missing_.empty()) {
    missing_ = ::dlerror();
  }
  return found;
}

std::string needs_library(std::string_view title, std::string_view missing,
                          std::string_view package) {
  return fmt::format(
      "needs the library {}, which cannot be loaded ({}): install it, on Debian by: apt install {}",
      title, missing, package);
}

}  // namespace lmpo

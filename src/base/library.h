// Shared libraries that few commands need. They are loaded for first use, because each one that is
// linked costs every command time at its start.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// A library in memory; it stays there. Not thread-safe: let it be the value of a static variable.
class LoadedLibrary {
 public:
  // `file`: a path, or the name of a library of the system: "libonig.so.5".
  explicit LoadedLibrary(const std::string& file);

  // The address of the library's function or variable of this name; null where it is missing.
  template <typename Address>
  Address find(const char* name) {
    return reinterpret_cast<Address>(look_up(name));
  }
  // Why it, or what was looked for in it, could not be loaded; "" where nothing is missing.
  const std::string& missing() const { return missing_; }

 private:
  void* look_up(const char* name);

  void* handle_;
  std::string missing_;
};

// "needs the library Oniguruma, which cannot be loaded (...): install it, on Debian by: apt install
// libonig5". The end of a message.
std::string needs_library(std::string_view title, std::string_view missing,
                          std::string_view package);

}  // namespace lmpo

// A member of a struct that has a LoadedLibrary `loaded` before it: the function or variable of the
// library that a header declares by this name.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared takes none
#define LMPO_LIBRARY_MEMBER(name) decltype(&::name) name = loaded.find<decltype(&::name)>(#name)

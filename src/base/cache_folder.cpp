#include "base/cache_folder.h"

#include <cstdlib>

namespace lmpo {
namespace {

fs::path folder(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? fs::path(value) : fs::path();
}

fs::path user_cache() {
  if (fs::path cache = folder("XDG_CACHE_HOME"); !cache.empty()) {
    return cache;
  }
  const fs::path home = folder("HOME");
  return home.empty() ? home : home / ".cache";
}

}  // namespace

fs::path default_cache_folder() {
  if (fs::path own = folder("LMPO_CACHE"); !own.empty()) {
    return own;
  }
  const fs::path cache = user_cache();
  return cache.empty() ? cache : cache / "lmpo";
}

fs::path hub_cache_folder() {
  if (fs::path own = folder("HF_HUB_CACHE"); !own.empty()) {
    return own;
  }
  if (const fs::path home = folder("HF_HOME"); !home.empty()) {
    return home / "hub";
  }
  const fs::path cache = user_cache();
  return cache.empty() ? cache : cache / "huggingface" / "hub";
}

}  // namespace lmpo

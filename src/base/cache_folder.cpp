#include "base/cache_folder.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/error.h"
#include "base/path_kind.h"

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

fs::path state_file(const std::string& name) {
  if (const fs::path state = folder("XDG_STATE_HOME"); state.is_absolute()) {
    return state / "lmpo" / name;
  }
  const fs::path home = folder("HOME");
  return home.empty() ? home : home / ".local/state/lmpo" / name;
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

bool is_hub_name(const fs::path& path) {
  const std::string text = path.string();
  const std::string ending = path.extension().string();  // of "owner/model-v0.2" it is ".2"
  const std::size_t slash = text.find('/');
  return slash != std::string::npos && slash > 0 && slash + 1 < text.size() && text[0] != '.' &&
         text.find('/', slash + 1) == std::string::npos &&
         (ending.size() < 2 || (ending[1] >= '0' && ending[1] <= '9'));
}

bool is_absent_hub_name(const fs::path& path) {
  std::error_code error;
  return is_hub_name(path) && !fs::exists(path, error);
}

fs::path find_in_hub_cache(std::string_view kind, const fs::path& name) {
  const std::string text = name.string();
  const std::size_t slash = text.find('/');
  const fs::path folder = hub_cache_folder() / (std::string(kind) + "--" + text.substr(0, slash) +
                                                "--" + text.substr(slash + 1));
  const fs::path main = folder / "refs" / "main";
  if (!is_file(main)) {
    return {};
  }
  std::string revision = read_file(main);
  revision.erase(std::ranges::find_if(revision, [](char c) { return c <= ' '; }), revision.end());
  fs::path snapshot = folder / "snapshots" / revision;
  return is_folder(snapshot) ? snapshot : fs::path();
}

void require_model_exists(const fs::path& path) {
  if (is_folder(path)) {
    return;
  }
  std::error_code error;
  if (fs::status(path, error).type() == fs::file_type::none) {
    user_error("{}: {}", path.string(), error.message());
  }
  if (is_hub_name(path)) {
    user_error(
        "{0}: there is no such folder. A model of the Hugging Face Hub is downloaded first: hf "
        "download {0} --local-dir FOLDER, then --model FOLDER. Without --local-dir, lmpo train "
        "finds it by its name in the Hub's cache",
        path.string());
  }
  user_error(
      "{}: there is no such folder; check the path. A model of the Hugging Face Hub has a name of "
      "two parts, owner/name",
      path.string());
}

}  // namespace lmpo

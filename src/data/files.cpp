#include "data/files.h"

#include <glob.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lmpo {
namespace {

bool is_data_file(const fs::path& path) {
  std::string name = path.filename().string();
  // What Hugging Face and others put beside data and models.
  constexpr std::array<std::string_view, 4> records = {"dataset_info.json", "dataset_infos.json",
                                                       "state.json", "dataset_dict.json"};
  if (name.starts_with('.') || std::find(records.begin(), records.end(), name) != records.end()) {
    return false;
  }
  for (const std::string_view packing : {".gz", ".zst"}) {
    if (name.ends_with(packing)) {
      name.resize(name.size() - packing.size());
      break;
    }
  }
  return name.ends_with(".json") || name.ends_with(".jsonl");
}

bool is_pattern(const fs::path& name) {
  return name.string().find_first_of("*?[") != std::string::npos;
}

std::vector<fs::path> match(const fs::path& pattern) {
  ::glob_t found{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<fs::path> files;
  for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i) {
    if (fs::is_regular_file(found.gl_pathv[i])) {
      files.emplace_back(found.gl_pathv[i]);
    }
  }
  ::globfree(&found);
  if (files.empty()) {
    user_error("{}: no file matches", pattern.string());
  }
  return files;
}

// "3 .parquet, 1 .md"
std::string kinds_in(const std::map<std::string, int>& kinds) {
  std::string text;
  for (const auto& [extension, count] : kinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        extension.empty() ? "without an extension" : extension);
  }
  return text.empty() ? "nothing" : text;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::map<std::string, int> others;
  for (auto entry =
           fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && entry->path().filename().string().starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      if (is_data_file(entry->path())) {
        files.push_back(entry->path());
      } else {
        ++others[entry->path().extension().string()];
      }
    }
  }
  if (files.empty()) {
    user_error(
        "{}: no data in this folder: files ending in .json or .jsonl, also with .gz or .zst, were "
        "expected; there is {}",
        folder.string(), kinds_in(others));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<fs::path> find_data_files(const std::vector<fs::path>& names) {
  std::vector<fs::path> all;
  for (const fs::path& name : names) {
    std::vector<fs::path> files = {name};
    if (fs::is_directory(name)) {
      files = files_below(name);
    } else if (!fs::exists(name) && is_pattern(name)) {
      files = match(name);
    }
    all.insert(all.end(), files.begin(), files.end());
  }
  return all;
}

}  // namespace lmpo

#include "data/files.h"

#include <glob.h>

#include <algorithm>
#include <string>

#include "base/cache_folder.h"
#include "base/error.h"
#include "data/dataset_folder.h"
#include "data/split_slice.h"

namespace lmpo {
namespace {

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
    user_error("{}: no file matches this pattern", pattern.string());
  }
  return files;
}

std::vector<fs::path> files_of_folder(const fs::path& folder, const DataSource& source,
                                      DataPurpose purpose) {
  if (!source.data_files.empty()) {
    return match_files(folder, source.data_files);
  }
  return choose_split(read_splits(folder, source.config), parse_split(source.split).split, purpose,
                      folder);
}

}  // namespace

std::vector<fs::path> find_data_files(const DataSource& source, DataPurpose purpose) {
  if (fs::is_directory(source.path)) {
    return files_of_folder(source.path, source, purpose);
  }
  const bool absent = !fs::exists(source.path);
  if (absent && !is_pattern(source.path)) {
    const fs::path snapshot =
        is_hub_name(source.path) ? find_in_hub_cache("datasets", source.path) : fs::path();
    if (!snapshot.empty()) {
      return files_of_folder(snapshot, source, purpose);
    }
    if (is_hub_name(source.path)) {
      user_error(
          "{}: there is no such file or folder. If it is a dataset on the Hugging Face Hub, "
          "download it first: hf download --repo-type dataset {}",
          source.path.string(), source.path.string());
    }
  }
  const std::string split = parse_split(source.split).split;
  for (const auto& [what, given] : {std::pair("split", !split.empty() && split != "train"),
                                    std::pair("name", !source.config.empty()),
                                    std::pair("data_files", !source.data_files.empty())}) {
    if (given) {
      user_error("{}: {}; '{}' needs the folder of a dataset", source.path.string(),
                 absent ? "there is no such folder" : "this is a file", what);
    }
  }
  return absent && is_pattern(source.path) ? match(source.path)
                                           : std::vector<fs::path>{source.path};
}

std::vector<SourceFiles> find_sources(const std::vector<DataSource>& sources, DataPurpose purpose) {
  std::vector<SourceFiles> found;
  for (const DataSource& source : sources) {
    found.push_back({source, find_data_files(source, purpose)});
  }
  return found;
}

}  // namespace lmpo

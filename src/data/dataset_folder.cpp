#include "data/dataset_folder.h"

#include <fnmatch.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"

namespace lmpo {
namespace {

using Patterns = std::vector<std::string>;

// Words in the paths of files and the splits they stand for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSplitWords = {{
    {"train", "train"},
    {"training", "train"},
    {"test", "test"},
    {"testing", "test"},
    {"eval", "test"},
    {"evaluation", "test"},
    {"validation", "validation"},
    {"valid", "validation"},
    {"val", "validation"},
    {"dev", "validation"},
}};

bool is_data_file(const fs::path& path) {
  std::string name = path.filename().string();
  // Records that lie beside data and models.
  constexpr std::array<std::string_view, 4> kRecords = {"dataset_info.json", "dataset_infos.json",
                                                        "state.json", "dataset_dict.json"};
  if (name.starts_with('.') || std::ranges::find(kRecords, name) != kRecords.end()) {
    return false;
  }
  for (const std::string_view packing : {".gz", ".zst"}) {
    if (name.ends_with(packing)) {
      name.resize(name.size() - packing.size());
      break;
    }
  }
  return name.ends_with(".json") || name.ends_with(".jsonl") || name.ends_with(".parquet");
}

// Every file below the folder except hidden ones, sorted by name.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto entry =
           fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const bool hidden = entry->path().filename().string().starts_with('.');
    if (entry->is_directory() && hidden) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !hidden) {
      files.push_back(entry->path());
    }
  }
  std::ranges::sort(files);
  return files;
}

// "3 .csv, 1 .md"
std::string kinds_of(const std::vector<fs::path>& files) {
  std::map<std::string, int> kinds;
  for (const fs::path& file : files) {
    ++kinds[file.extension().string()];
  }
  std::string text;
  for (const auto& [extension, count] : kinds) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count,
                        extension.empty() ? "without an extension" : extension);
  }
  return text.empty() ? "nothing" : text;
}

std::string names_of(const auto& map) {
  std::string text;
  for (const auto& [name, value] : map) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

// "data/train_prefs-00000-of-00001.parquet" belongs to train_prefs.
std::string split_of_shard(const fs::path& file) {
  const std::string stem = file.filename().string();
  const std::size_t of = stem.find("-of-");
  if (of == std::string::npos || of < 6) {
    return "";
  }
  const auto digits = [&](std::size_t at) {
    return at + 5 <= stem.size() && std::all_of(stem.begin() + static_cast<std::ptrdiff_t>(at),
                                                stem.begin() + static_cast<std::ptrdiff_t>(at) + 5,
                                                [](unsigned char c) { return std::isdigit(c); });
  };
  return stem[of - 6] == '-' && digits(of - 5) && digits(of + 4) ? stem.substr(0, of - 6) : "";
}

// The split of the first word in the path that is one of kSplitWords; "" if there is none.
std::string split_of_words(const fs::path& relative) {
  const std::string path = relative.string() + "/";
  std::string word;
  for (const char c : path) {
    if (std::isalpha(static_cast<unsigned char>(c))) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    for (const auto& [name, split] : kSplitWords) {
      if (word == name) {
        return std::string(split);
      }
    }
    word.clear();
  }
  return "";
}

Splits splits_by_names(const fs::path& folder) {
  const std::vector<fs::path> all = files_below(folder);
  Splits splits;
  std::vector<fs::path> others;
  for (const fs::path& file : all) {
    if (!is_data_file(file)) {
      continue;
    }
    std::string split = split_of_shard(file);
    if (split.empty()) {
      split = split_of_words(file.lexically_relative(folder));
    }
    (split.empty() ? others : splits[split]).push_back(file);
  }
  if (splits.empty() && others.empty()) {
    user_error(
        "{}: no data files in this folder; expected files ending in .parquet, .json, .jsonl, "
        ".json.gz or similar; it has {}",
        folder.string(), kinds_of(all));
  }
  const bool trains = std::ranges::any_of(
      splits, [](const auto& split) { return split.first.starts_with("train"); });
  if (!others.empty() && !trains) {
    splits["train"] = others;
  } else if (!others.empty()) {
    log_warning("{}: not read, since its name has no split: {}{}", folder.string(),
                others[0].lexically_relative(folder).string(),
                others.size() > 1 ? fmt::format(" and {} more", others.size() - 1) : "");
  }
  return splits;
}

[[noreturn]] void refuse_readme(const fs::path& readme, std::string_view why) {
  user_error("{}: {}; set data_files, or give the files themselves", readme.string(), why);
}

Patterns patterns_of(const YAML::Node& node, const fs::path& readme) {
  Patterns patterns;
  if (node.IsScalar()) {
    return {node.Scalar()};
  }
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) {
      refuse_readme(readme,
                    "'data_files' in its configs is neither a pattern nor a list of patterns");
    }
    patterns.push_back(item.Scalar());
  }
  if (patterns.empty()) {
    refuse_readme(readme, "'data_files' in its configs names no file");
  }
  return patterns;
}

// `data_files` of a configuration: a pattern, a list of patterns, or splits with their patterns.
std::map<std::string, Patterns> split_patterns(const YAML::Node& files, const fs::path& readme) {
  std::map<std::string, Patterns> splits;
  if (files.IsMap()) {
    for (const auto& item : files) {
      splits[item.first.Scalar()] = patterns_of(item.second, readme);
    }
    return splits;
  }
  if (files.IsSequence() && files.size() > 0 && files[0].IsMap()) {
    for (const YAML::Node& item : files) {
      if (!item.IsMap() || !item["split"] || !item["path"] || !item["split"].IsScalar()) {
        refuse_readme(readme, "'data_files' in its configs lacks 'split' or 'path'");
      }
      for (std::string& pattern : patterns_of(item["path"], readme)) {
        splits[item["split"].Scalar()].push_back(std::move(pattern));
      }
    }
    return splits;
  }
  splits["train"] = patterns_of(files, readme);
  return splits;
}

std::string text_at(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  return node && node.IsScalar() ? node.Scalar() : "";
}

YAML::Node choose_config(const YAML::Node& configs, const std::string& wanted,
                         const fs::path& readme) {
  std::map<std::string, YAML::Node> named;
  std::string standard;
  for (const YAML::Node& config : configs) {
    if (!config.IsMap()) {
      refuse_readme(readme, "'configs' is not a list of configurations");
    }
    const std::string name =
        config["config_name"] ? text_at(config, "config_name") : std::string("default");
    named[name] = config;
    if (name == "default" || text_at(config, "default") == "true") {
      standard = name;
    }
  }
  const std::string name = wanted.empty() && named.size() == 1 ? named.begin()->first
                           : wanted.empty()                    ? standard
                                                               : wanted;
  if (const auto found = named.find(name); found != named.end()) {
    return found->second;
  }
  std::vector<std::string> names;
  for (const auto& [each, config] : named) {
    names.push_back(each);
  }
  user_error("{}: {}{}; the configurations are {}", readme.parent_path().string(),
             wanted.empty() ? "name a configuration" : "there is no configuration '" + wanted + "'",
             wanted.empty() ? "" : suggestion(wanted, names), names_of(named));
}

// A README comes with the data, so it may only choose among the folder's files.
bool leads_out_of_its_folder(const fs::path& inner) {
  return inner.is_absolute() || inner.string().find('\0') != std::string::npos ||
         std::find(inner.begin(), inner.end(), fs::path("..")) != inner.end();
}

Splits splits_of_readme(const fs::path& folder, const YAML::Node& configs, const fs::path& readme,
                        const std::string& config_name) {
  const YAML::Node config = choose_config(configs, config_name, readme);
  fs::path base = folder;
  if (const std::string inner = text_at(config, "data_dir"); !inner.empty()) {
    if (leads_out_of_its_folder(inner)) {
      refuse_readme(readme, "'data_dir' in its configs leads out of the folder");
    }
    base /= inner;
    if (!is_folder(base)) {
      user_error(
          "{}: there is no folder '{}', which its README.md names as 'data_dir'; is the "
          "download complete?",
          folder.string(), inner);
    }
  }
  const YAML::Node files = config["data_files"];
  if (!files || files.IsNull()) {
    return splits_by_names(base);
  }
  Splits splits;
  for (const auto& [split, patterns] : split_patterns(files, readme)) {
    splits[split] = match_files(base, patterns);
  }
  return splits;
}

}  // namespace

std::vector<fs::path> match_files(const fs::path& folder,
                                  const std::vector<std::string>& patterns) {
  const std::vector<fs::path> all = files_below(folder);
  std::vector<fs::path> files;
  for (std::string pattern : patterns) {
    const std::size_t before = files.size();
    pattern.erase(0, pattern.starts_with("./") ? 2 : 0);
    const bool deep = pattern.find("**") != std::string::npos;
    const std::string shallow = pattern.starts_with("**/") ? pattern.substr(3) : pattern;
    for (const fs::path& file : all) {
      const std::string name = file.lexically_relative(folder).string();
      if (::fnmatch(pattern.c_str(), name.c_str(), deep ? 0 : FNM_PATHNAME) == 0 ||
          ::fnmatch(shallow.c_str(), name.c_str(), FNM_PATHNAME) == 0) {
        files.push_back(file);
      }
    }
    if (files.size() == before) {
      user_error("{}: no file matches '{}'; is the download complete?", folder.string(), pattern);
    }
  }
  return files;
}

std::string front_matter(const fs::path& readme) {
  if (!fs::is_regular_file(readme)) {
    return "";
  }
  const std::string text = read_file(readme);
  if (!text.starts_with("---")) {
    return "";
  }
  const std::size_t begin = text.find('\n');
  const std::size_t end = text.find("\n---", 3);
  return begin < end && end != std::string::npos ? text.substr(begin + 1, end - begin) : "";
}

Splits read_splits(const fs::path& folder, const std::string& config) {
  const fs::path readme = folder / "README.md";
  const std::string matter = front_matter(readme);
  try {
    const YAML::Node root = matter.empty() ? YAML::Node() : YAML::Load(matter);
    if (root.IsMap() && root["configs"] && root["configs"].IsSequence()) {
      return splits_of_readme(folder, root["configs"], readme, config);
    }
  } catch (const YAML::Exception& error) {
    refuse_readme(readme, fmt::format("its front matter is not valid YAML (line {}: {})",
                                      error.mark.line + 2, error.msg));
  }
  // Without a README a configuration is a subfolder.
  if (!config.empty()) {
    if (leads_out_of_its_folder(config) || !is_folder(folder / config)) {
      user_error("{}: there is no configuration '{}', neither in its README.md nor as a subfolder",
                 folder.string(), config);
    }
    return splits_by_names(folder / config);
  }
  return splits_by_names(folder);
}

const std::vector<fs::path>& choose_split(const Splits& splits, const std::string& named,
                                          DataPurpose purpose, const fs::path& folder) {
  if (const auto found = splits.find(named); found != splits.end()) {
    return found->second;
  }
  std::vector<std::string> candidates;
  if (named.empty()) {
    const auto words = purpose == DataPurpose::training
                           ? std::vector<std::string_view>{"train"}
                           : std::vector<std::string_view>{"test", "validation"};
    for (const std::string_view word : words) {
      if (const auto found = splits.find(std::string(word)); found != splits.end()) {
        return found->second;
      }
    }
    for (const auto& [name, files] : splits) {
      if (std::any_of(words.begin(), words.end(),
                      [&split = name](std::string_view word) { return split.starts_with(word); })) {
        candidates.push_back(name);
      }
    }
    if (candidates.size() == 1 || splits.size() == 1) {
      return candidates.empty() ? splits.begin()->second : splits.at(candidates[0]);
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, files] : splits) {
    names.push_back(name);
  }
  if (named.empty()) {
    user_error("{}: several splits could be meant; choose one with {} from {}", folder.string(),
               purpose == DataPurpose::training ? "--dataset_train_split" : "--dataset_test_split",
               names_of(splits));
  }
  user_error("{}: there is no split '{}'{}; there are {}", folder.string(), named,
             suggestion(named, names), names_of(splits));
}

}  // namespace lmpo

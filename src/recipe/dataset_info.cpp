#include "recipe/dataset_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/names.h"
#include "recipe/option_type.h"

namespace lmpo {
namespace {

constexpr const char* kFile = "dataset_info.json";

std::string text_at(const json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

// LLaMA-Factory's names of columns, and those of schema.h.
constexpr std::array<std::pair<const char*, const char*>, 10> columns = {{
    {"prompt", "instruction"},
    {"query", "input"},
    {"response", "output"},
    {"history", "history"},
    {"system", "system"},
    {"messages", "conversations"},
    {"chosen", "chosen"},
    {"rejected", "rejected"},
    {"kto_tag", "kto_tag"},
    {"tools", "tools"},
}};

void take_columns(DataSource& source, const json& named, const std::string& place) {
  for (const auto& [theirs, ours] : columns) {
    if (const std::string column = text_at(named, theirs); !column.empty() && column != ours) {
      source.columns[column] = ours;
    }
  }
  for (const char* media : {"images", "videos", "audios"}) {
    if (!text_at(named, media).empty()) {
      user_error("{}: it has {}, but only text is supported", place, media);
    }
  }
}

// Tags are the words in messages; only those that the reader knows are supported.
void check_tags(const json& entry, const std::string& place) {
  static const std::map<std::string, std::vector<std::string>> known = {
      {"role_tag", {"from", "role"}},
      {"content_tag", {"value", "content"}},
      {"user_tag", {"human", "user"}},
      {"assistant_tag", {"gpt", "assistant"}},
      {"system_tag", {"system"}}};
  const json tags = entry.value("tags", json::object());
  for (const auto& [tag, words] : known) {
    const std::string word = text_at(tags, tag.c_str());
    if (!word.empty() && std::ranges::find(words, word) == words.end()) {
      user_error("{}: {} '{}' is not known; there are {}", place, tag, word, join(words, ", "));
    }
  }
}

const json& entry_of(const json& list, const std::string& name, const fs::path& file) {
  if (!list.is_object()) {
    user_error("{}: an object of names and descriptions of datasets was expected", file.string());
  }
  if (const auto found = list.find(name); found != list.end() && found->is_object()) {
    return *found;
  }
  std::vector<std::string> names;
  for (const auto& [each, entry] : list.items()) {
    names.push_back(each);
  }
  user_error("{}: there is no dataset '{}'{}", file.string(), name, suggestion(name, names));
}

}  // namespace

DataSource look_up_dataset(const DataSource& source, const fs::path& folder) {
  const std::string name = source.path.string();
  const bool is_file = source.path.extension() == ".json" || source.path.extension() == ".jsonl" ||
                       source.path.extension() == ".parquet";
  if (is_file || fs::exists(source.path) || name.find_first_of("*?[/") != std::string::npos) {
    return source;
  }
  const fs::path file = folder / kFile;
  if (!fs::exists(file)) {
    user_error(
        "dataset '{}' is neither a file nor a folder, and there is no {} to look it up in: give "
        "the "
        "folder of LLaMA-Factory's data with dataset_dir, or the file itself with dataset",
        name, file.string());
  }
  const json list = read_json(file);
  const json& entry = entry_of(list, name, file);
  const std::string place = fmt::format("{}: {}", file.string(), name);
  DataSource found = source;
  if (const std::string local = text_at(entry, "file_name"); !local.empty()) {
    found.path = folder / local;
  } else if (const std::string hub = text_at(entry, "hf_hub_url"); !hub.empty()) {
    found.path = hub;
    found.config = text_at(entry, "subset");
    found.split = text_at(entry, "split");
    if (const std::string inner = text_at(entry, "folder"); !inner.empty()) {
      found.path /= inner;
    }
  } else {
    user_error("{}: expected 'file_name' or 'hf_hub_url'; other sources are not supported", place);
  }
  if (entry.contains("num_samples") && entry["num_samples"].is_number_integer()) {
    found.most_rows = entry["num_samples"].get<std::int64_t>();
  }
  take_columns(found, entry.value("columns", json::object()), place);
  check_tags(entry, place);
  return found;
}

}  // namespace lmpo

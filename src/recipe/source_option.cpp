#include "recipe/source_option.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "recipe/axolotl_source.h"

namespace lmpo {
namespace {

const std::vector<std::string> known_keys = {"path",     "id",         "name",    "config",
                                             "split",    "data_dir",   "columns", "weight",
                                             "fraction", "data_files", "dataset", "type"};

std::string scalar(const YAML::Node& node, const std::string& key) {
  if (!node.IsScalar()) {
    user_error("'{}' of a data source: a plain value was expected", key);
  }
  if (node.Scalar().find('\0') != std::string::npos) {
    user_error("'{}' of a data source: a text without a zero byte was expected", key);
  }
  return node.Scalar();
}

double weight_of(const YAML::Node& node, const std::string& key) {
  const auto weight = parse_real(scalar(node, key));
  if (!weight || !(*weight > 0) || *weight > 1000) {
    user_error("'{}' of a data source: a number above 0 and at most 1000 was expected, not '{}'",
               key, node.Scalar());
  }
  return *weight;
}

std::vector<std::string> scalars(const YAML::Node& node, const std::string& key) {
  if (node.IsScalar()) {
    return {scalar(node, key)};
  }
  if (!node.IsSequence()) {
    user_error("'{}' of a data source: a pattern or a list of them was expected", key);
  }
  std::vector<std::string> all;
  for (const YAML::Node& item : node) {
    all.push_back(scalar(item, key));
  }
  return all;
}

// A mapping renames; a list says which columns to read.
void set_columns(DataSource& source, const YAML::Node& node) {
  if (!node.IsMap() && !node.IsSequence()) {
    user_error(
        "'columns' of a data source: a mapping {{COLUMN: KEY, ...}}, or a list of columns, was "
        "expected");
  }
  for (const auto& item : node) {
    const std::string column = scalar(node.IsMap() ? item.first : item, "columns");
    source.columns[column] = node.IsMap() ? scalar(item.second, "columns") : column;
  }
  source.only_columns = node.IsSequence();
}

void set(DataSource& source, const std::string& key, const YAML::Node& node, fs::path& folder) {
  if (node.IsNull()) {
    return;
  }
  if (key == "path" || key == "id" || key == "dataset") {
    source.path = scalar(node, key);
  } else if (key == "name" || key == "config") {
    source.config = scalar(node, key);
  } else if (key == "split") {
    source.split = scalar(node, key);
  } else if (key == "data_dir") {
    folder = scalar(node, key);
  } else if (key == "data_files") {
    source.data_files = scalars(node, key);
  } else if (key == "columns") {
    set_columns(source, node);
  } else if (key == "weight" || key == "fraction") {
    source.weight = weight_of(node, key);
  } else if (!set_axolotl_key(source, key, node)) {
    user_error("'{}' is no key of a data source{}; its keys are {}", key,
               suggestion(key, known_keys), join(known_keys, ", "));
  }
}

// "json" with data_files, as in TRL, names a builder of Hugging Face `datasets`: read the files.
void take_local_files(DataSource& source) {
  const std::string builder = source.path.string();
  if (source.data_files.empty() || fs::exists(source.path)) {
    return;
  }
  if (builder == "csv" || builder == "text") {
    user_error("a data source of {}: only JSON, JSONL and Parquet files are read", builder);
  }
  if (builder == "json" || builder == "parquet") {
    source.path = source.data_files.size() == 1 ? fs::path(source.data_files[0]) : fs::path(".");
    if (source.data_files.size() == 1) {
      source.data_files.clear();
    }
  }
}

DataSource read_mapping(const YAML::Node& map) {
  DataSource source;
  fs::path folder;
  const std::string first = map.size() == 1 ? map.begin()->first.Scalar() : "";
  const bool known = std::ranges::find(known_keys, first) != known_keys.end();
  if (map.size() == 1 && !known && map.begin()->second.IsScalar() &&
      parse_real(map.begin()->second.Scalar())) {
    source.path = first;
    source.weight = weight_of(map.begin()->second, first);
    return source;
  }
  for (const auto& item : map) {
    set(source, scalar(item.first, "a key"), item.second, folder);
  }
  if (source.path.empty()) {
    user_error("a data source needs 'path': {{path: PATH, ...}}");
  }
  take_local_files(source);
  if (!folder.empty()) {
    source.path /= folder;
  }
  return source;
}

}  // namespace

std::optional<DataSource> OptionType<DataSource>::parse(std::string_view text,
                                                        const OptionTraits&) {
  if (text.empty()) {
    return std::nullopt;
  }
  if (text[0] != '{') {
    return DataSource(fs::path(text));
  }
  try {
    const YAML::Node node = YAML::Load(std::string(text));
    return node.IsMap() && node.size() > 0 ? std::optional(read_mapping(node)) : std::nullopt;
  } catch (const YAML::Exception& error) {
    user_error("'{}' is not a mapping in YAML's short form: {}", text, error.msg);
  }
}

json OptionType<DataSource>::show(const DataSource& source) {
  const json path = OptionType<fs::path>::show(source.path);
  json shown = {{"path", path}};
  const auto add = [&](const char* key, const json& value) {
    if (!value.empty()) {
      shown[key] = value;
    }
  };
  const auto text = [](const std::string& value) {
    return value.empty() ? json() : json(replace_invalid_utf8(value));
  };
  add("config", text(source.config));
  add("split", text(source.split));
  add("data_files", source.data_files);
  add("columns", source.columns);
  if (source.only_columns) {
    shown["only_columns"] = true;
  }
  if (source.most_rows > 0) {
    shown["most_rows"] = source.most_rows;
  }
  if (source.weight != 1) {
    shown["weight"] = source.weight;
  }
  return shown.size() == 1 ? path : shown;
}

}  // namespace lmpo

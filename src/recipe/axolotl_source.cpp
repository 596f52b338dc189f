#include "recipe/axolotl_source.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"

namespace lmpo {
namespace {

using Columns = std::map<std::string, std::string>;

// The prompt strategies that are supported, without the template's name before the dot, as in
// "chatml.intel"; with their columns that schema.h names otherwise.
const std::map<std::string, Columns>& row_types() {
  static const std::map<std::string, Columns> types = {
      {"chat_template", {}},
      {"default", {}},
      {"argilla", {{"chosen_response", "chosen"}, {"rejected_response", "rejected"}}},
      {"argilla_chat", {}},
      {"alpaca", {}},
      {"alpaca_chat", {}},
      {"sharegpt", {}},
      {"load_role", {}},
      {"completion", {}},
      {"intel", {{"question", "prompt"}}},
      {"icr", {{"input", "prompt"}}},
      {"prompt_pairs", {}},
      {"ultra", {}},
      {"passthrough", {}},
      {"user_defined", {}},
      {"nectar", {}}};
  return types;
}

// axolotl's fields, each with its key in schema.h.
const std::map<std::string, std::string>& fields() {
  static const std::map<std::string, std::string> keys = {
      {"field_messages", "messages"},     {"field_chosen", "chosen"},
      {"field_rejected", "rejected"},     {"field_prompt", "prompt"},
      {"field_completion", "completion"}, {"field_label", "label"},
      {"field_system", "system"},         {"field_instruction", "instruction"},
      {"field_input", "input"},           {"field_output", "output"},
      {"field_tools", "tools"},           {"field", "text"}};
  return keys;
}

// Keys that the reader does not need, or that change no row.
bool changes_nothing(const std::string& key) {
  static const std::set<std::string> keys = {"roles",
                                             "ds_type",
                                             "message_property_mappings",
                                             "message_field_role",
                                             "conversation",
                                             "message_field_content",
                                             "trust_remote_code",
                                             "revision",
                                             "preprocess_shards",
                                             "train_on_split",
                                             "chat_template",
                                             "roles_to_train",
                                             "train_on_eos",
                                             "train_on_eot",
                                             "drop_system_message",
                                             "field_thinking",
                                             "split_thinking"};
  return keys.contains(key);
}

void set_field(DataSource& source, const std::string& field, const std::string& column) {
  const std::string& key = fields().at(field);
  // A column called "prompt" is found without help, as text or as messages.
  if (column != key && !(field == "field_messages" && column == "prompt")) {
    source.columns[column] = key;
  }
}

void set_type(DataSource& source, const std::string& type) {
  const std::string last = type.substr(type.rfind('.') + 1);
  const auto found = row_types().find(last.substr(0, last.find(':')));
  if (found == row_types().end()) {
    user_error(
        "type '{}' of a data source is not read: lmpo reads the rows of chat_template, alpaca, "
        "sharegpt, completion, and of .argilla, .intel, .icr, .prompt_pairs and .ultra; give the "
        "names of columns by 'columns: {{COLUMN: KEY}}' instead",
        type);
  }
  // With chat_template, "argilla" has rows with lmpo's own names.
  if (!type.starts_with("chat_template")) {
    source.columns.insert(found->second.begin(), found->second.end());
  }
}

// A custom type: columns, and formats around them, of which only the plain "{prompt}" is supported.
void set_own_type(DataSource& source, const YAML::Node& map) {
  for (const auto& item : map) {
    const std::string key = item.first.Scalar();
    const std::string value = item.second.IsScalar() ? item.second.Scalar() : "";
    if (item.second.IsNull() || (key.ends_with("_format") && value.starts_with('{') &&
                                 value.find('}') == value.size() - 1)) {
      continue;
    }
    if (!fields().contains(key)) {
      user_error(
          "'{}' in the type of a data source is not supported: the chat template formats the text",
          key);
    }
    set_field(source, key, value);
  }
}

}  // namespace

bool set_axolotl_key(DataSource& source, const std::string& key, const YAML::Node& node) {
  if (key == "type") {
    node.IsMap() ? set_own_type(source, node) : set_type(source, node.Scalar());
    return true;
  }
  if (fields().contains(key)) {
    if (!node.IsScalar()) {
      user_error("'{}' of a data source: the name of a column was expected", key);
    }
    set_field(source, key, node.Scalar());
    return true;
  }
  if (key == "shards" && node.IsScalar() && node.Scalar() != "1") {
    user_error(
        "'shards' of a data source is not supported: 'weight: 0.1' takes a tenth of its rows");
  }
  return key == "shards" || changes_nothing(key);
}

}  // namespace lmpo

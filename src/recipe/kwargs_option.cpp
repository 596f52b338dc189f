#include "recipe/kwargs_option.h"

#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

ordered_json json_of_scalar(const YAML::Node& scalar) {
  const std::string& text = scalar.Scalar();
  if (scalar.Tag() == "!") {  // in quotes
    return text;
  }
  if (const auto whole = parse_integer(text)) {  // before parse_bool, which takes 0 and 1
    return *whole;
  }
  if (const auto flag = parse_bool(text)) {
    return *flag;
  }
  if (const auto number = parse_real(text)) {
    return *number;
  }
  return text;
}

}  // namespace

std::optional<ordered_json> OptionType<ordered_json>::parse(std::string_view text,
                                                            const OptionTraits&) {
  ordered_json given;
  try {
    given = parse_ordered_json(text, "");
  } catch (const UserError&) {
    return std::nullopt;
  }
  return given.is_object() ? std::optional(read_template_kwargs(given, "")) : std::nullopt;
}

json OptionType<ordered_json>::show(const ordered_json& value) {
  return json::parse(value.dump());
}

ordered_json json_of_yaml(const YAML::Node& node, int most_levels) {
  if (most_levels == 0) {
    user_error("the value is nested too deeply");
  }
  if (node.IsMap()) {
    ordered_json object = ordered_json::object();
    for (const auto& item : node) {
      if (!item.first.IsScalar()) {
        user_error("a name was expected before each ':'");
      }
      object[item.first.Scalar()] = json_of_yaml(item.second, most_levels - 1);
    }
    return object;
  }
  if (node.IsSequence()) {
    ordered_json list = ordered_json::array();
    for (const YAML::Node& item : node) {
      list.push_back(json_of_yaml(item, most_levels - 1));
    }
    return list;
  }
  return node.IsScalar() ? json_of_scalar(node) : ordered_json();
}

}  // namespace lmpo

// A chat template's switches as the value of an option: a mapping in YAML, JSON text on the command
// line, as {"enable_thinking": false}. In YAML a plain word is true or false (also yes, no, on, off),
// null, a number or a text, as PyYAML reads it; in quotes it is a text.
#pragma once

#include <string>

#include "base/json.h"
#include "recipe/option_type.h"

namespace YAML {
class Node;
}

namespace lmpo {

template <>
struct OptionType<ordered_json> {
  static std::string expected(const OptionTraits&) {
    return "a map of names and values, such as {\"enable_thinking\": false},";
  }
  static std::string value_name(const OptionTraits&) { return "JSON"; }
  // None for a text that is not a JSON object; UserError as read_template_kwargs.
  static std::optional<ordered_json> parse(std::string_view text, const OptionTraits&);
  static json show(const ordered_json& value);
};

// A YAML value of any kind as JSON. Throws UserError for a mapping whose keys are not plain, and for
// values nested deeper than `most_levels`.
ordered_json json_of_yaml(const YAML::Node& node, int most_levels = 100);

}  // namespace lmpo

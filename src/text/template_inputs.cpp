#include "text/template_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr const char* kTools = "tools";
constexpr const char* kKwargs = "chat_template_kwargs";
constexpr std::array<std::string_view, 3> kOwnVariables = {"messages", "add_generation_prompt",
                                                           kTools};

std::string excerpt_of(const ordered_json& value) {
  constexpr std::size_t kShown = 60;
  const std::string text = value.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  return text.substr(0, kShown) + (text.size() > kShown ? "..." : "");
}

// The value itself, or the JSON that its text holds; null for an empty text. A text that is no JSON
// stays as it is.
ordered_json value_of_text(const ordered_json& given) {
  if (!given.is_string()) {
    return given;
  }
  const auto& text = given.get_ref<const std::string&>();
  if (text.empty()) {
    return nullptr;
  }
  try {
    return parse_ordered_json(text, "");
  } catch (const UserError&) {
    return given;
  }
}

std::string before_message(std::string_view place) {
  return place.empty() ? "" : fmt::format("{}: ", place);
}

const ordered_json* present(const ordered_json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool is_list_of_strings(const ordered_json& value) {
  return value.is_array() && std::ranges::all_of(value, &ordered_json::is_string);
}

// Why a tool's parameters are no JSON schema; "" if they are one.
std::string_view fault_of_schema(const ordered_json& schema) {
  if (!schema.is_object()) {
    return "'parameters' are not an object";
  }
  const ordered_json* type = present(schema, "type");
  if (type != nullptr && !type->is_string() && !is_list_of_strings(*type)) {
    return "'type' of its 'parameters' is not a string";
  }
  const ordered_json* properties = present(schema, "properties");
  if (properties != nullptr && !properties->is_object()) {
    return "'properties' of its 'parameters' is not an object";
  }
  const ordered_json* needed = present(schema, "required");
  if (needed != nullptr && !is_list_of_strings(*needed)) {
    return "'required' of its 'parameters' is not a list of names";
  }
  return "";
}

std::string_view fault_of_tool(const ordered_json& tool) {
  if (!tool.is_object()) {
    return "it is not an object";
  }
  const ordered_json* type = present(tool, "type");
  if (type != nullptr && !type->is_string()) {
    return "'type' is not a string";
  }
  const ordered_json* inner = present(tool, "function");
  if (inner != nullptr && !inner->is_object()) {
    return "'function' is not an object";
  }
  const ordered_json& function = inner != nullptr ? *inner : tool;
  const ordered_json* name = present(function, "name");
  const bool built_in =
      name == nullptr && inner == nullptr && type != nullptr && *type != "function";
  if (!built_in &&
      (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty())) {
    return "it has no 'name'";
  }
  const ordered_json* parameters = present(function, "parameters");
  return parameters != nullptr ? fault_of_schema(*parameters) : "";
}

}  // namespace

ordered_json read_tools(const ordered_json& given, std::string_view place) {
  constexpr std::string_view kExpected =
      "a list of JSON schemas was expected, [{\"type\": \"function\", \"function\": {\"name\": "
      "..., \"description\": ..., \"parameters\": {\"type\": \"object\", \"properties\": "
      "{...}}}}], or its JSON text";
  ordered_json tools = value_of_text(given);
  if (tools.is_null()) {
    return nullptr;
  }
  if (!tools.is_array()) {
    user_error("{}{}, not {}", before_message(place), kExpected, excerpt_of(tools));
  }
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (const std::string_view fault = fault_of_tool(tools[i]); !fault.empty()) {
      user_error("{}{}; tool {} is not one: {}: {}", before_message(place), kExpected, i, fault,
                 excerpt_of(tools[i]));
    }
  }
  return tools.empty() ? nullptr : tools;
}

ordered_json read_template_kwargs(const ordered_json& given, std::string_view place) {
  ordered_json kwargs = value_of_text(given);
  if (!kwargs.is_null() && !kwargs.is_object()) {
    user_error(
        "{}an object of names and values was expected, {{\"enable_thinking\": false}}, or its JSON "
        "text, not {}",
        before_message(place), excerpt_of(kwargs));
  }
  for (const std::string_view name : kOwnVariables) {
    if (kwargs.is_object() && kwargs.contains(name)) {
      user_error("{}'{}' cannot be set here{}", before_message(place), name,
                 name == kTools ? "; give it under 'tools'" : ": lmpo sets it itself");
    }
  }
  return kwargs.empty() ? nullptr : kwargs;
}

ordered_json template_inputs(const ordered_json& row, std::string_view place) {
  ordered_json inputs;
  if (const ordered_json* kwargs = present(row, kKwargs)) {
    inputs = read_template_kwargs(*kwargs, fmt::format("{}: key '{}'", place, kKwargs));
  }
  if (const ordered_json* given = present(row, kTools)) {
    ordered_json tools = read_tools(*given, fmt::format("{}: key '{}'", place, kTools));
    if (!tools.is_null()) {
      inputs[kTools] = std::move(tools);
    }
  }
  return inputs;
}

void add_template_inputs(ordered_json& row, const ordered_json& inputs) {
  if (!inputs.is_object()) {
    return;
  }
  for (const auto& [name, value] : inputs.items()) {
    (name == kTools ? row[kTools] : row[kKwargs][name]) = value;
  }
}

std::string unread_inputs(const ChatTemplate& chat, const ordered_json& inputs) {
  std::string names;
  if (inputs.is_object()) {
    for (const auto& [name, value] : inputs.items()) {
      if (name != kTools && !chat.reads(name)) {
        names += (names.empty() ? "" : ", ") + name;
      }
    }
  }
  return names;
}

}  // namespace lmpo

#include "serve/xml_call.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

constexpr std::string_view kParameter = "<parameter=";
constexpr std::string_view kParameterEnd = "</parameter>";
constexpr std::string_view kFunctionEnd = "</function>";

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool skip(std::string_view& text, std::string_view word) {
  const bool begins = text.starts_with(word);
  text.remove_prefix(begins ? word.size() : 0);
  return begins;
}

// Up to the end, which is skipped; nothing where it is not there.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view end) {
  const std::size_t size = text.find(end);
  if (size == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size + end.size());
  return taken;
}

// A value may hold the text that ends it, so that counts only before what may follow.
std::optional<std::string_view> take_value(std::string_view& text) {
  for (std::size_t at = text.find(kParameterEnd); at != std::string_view::npos;
       at = text.find(kParameterEnd, at + 1)) {
    std::string_view rest = text.substr(at + kParameterEnd.size());
    skip_space(rest);
    if (rest.starts_with(kParameter) || rest.starts_with(kFunctionEnd)) {
      std::string_view value = text.substr(0, at);
      text = rest;
      skip(value, "\n");
      value.remove_suffix(value.ends_with('\n') ? 1 : 0);
      return value;
    }
  }
  return std::nullopt;
}

const ordered_json& member(const ordered_json& object, const std::string& key) {
  static const ordered_json none;
  const bool has = object.is_object() && object.contains(key);
  return has ? object.at(key) : none;
}

// The schemas of the parameters of a tool; null where it is not known.
const ordered_json& properties_of(const ordered_json& tools, const std::string& name) {
  static const ordered_json none;
  for (const ordered_json& tool : tools) {
    const ordered_json& function = tool.contains("function") ? tool.at("function") : tool;
    if (member(function, "name") == name) {
      return member(member(function, "parameters"), "properties");
    }
  }
  return none;
}

bool has_text(const ordered_json& list, const ordered_json& text) {
  return list.is_array() && std::any_of(list.begin(), list.end(),
                                        [&](const ordered_json& each) { return each == text; });
}

bool is_text(const ordered_json& schema) {
  const ordered_json& type = member(schema, "type");
  return type == "string" || has_text(type, "string");
}

// The templates write true, false and null as Python does.
ordered_json value_of(std::string_view text, const ordered_json& schema) {
  ordered_json as_text = replace_invalid_utf8(text);
  if (!schema.is_object() || is_text(schema) || has_text(member(schema, "enum"), as_text)) {
    return as_text;
  }
  if (text == "True" || text == "False") {
    return text == "True";
  }
  if (text == "None") {
    return nullptr;
  }
  try {
    return parse_ordered_json(text, "");
  } catch (const UserError&) {
    return as_text;
  }
}

}  // namespace

std::optional<ToolCall> xml_call(std::string_view text, const ordered_json& tools) {
  if (!skip(text, "<function=")) {
    return std::nullopt;
  }
  const auto given_name = take_until(text, ">");
  if (!given_name || given_name->empty()) {
    return std::nullopt;
  }
  const std::string name = replace_invalid_utf8(*given_name);
  const ordered_json& properties = properties_of(tools, name);
  ordered_json arguments = ordered_json::object();
  skip_space(text);
  while (skip(text, kParameter)) {
    const auto key = take_until(text, ">");
    const auto value = key ? take_value(text) : std::nullopt;
    if (!value) {
      return std::nullopt;
    }
    const std::string known = replace_invalid_utf8(*key);
    arguments[known] = value_of(*value, member(properties, known));
  }
  return text.starts_with(kFunctionEnd) ? std::optional(ToolCall{name, arguments.dump()})
                                        : std::nullopt;
}

}  // namespace lmpo

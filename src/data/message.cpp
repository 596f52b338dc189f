#include "data/message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kRoles = {{
    {"human", "user"},
    {"prompter", "user"},
    {"user", "user"},
    {"gpt", "assistant"},
    {"chatgpt", "assistant"},
    {"bot", "assistant"},
    {"chatbot", "assistant"},
    {"model", "assistant"},
    {"ai", "assistant"},
    {"assistant", "assistant"},
    {"system", "system"},
    {"observation", "tool"},
}};

constexpr std::array<std::string_view, 3> kReasoningKeys = {"reasoning_content", "reasoning",
                                                            "thinking"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool is_text_part(const ordered_json& part) {
  return part.is_object() && part.contains("type") && part["type"] == "text" &&
         part.contains("text") && part["text"].is_string();
}

}  // namespace

ordered_json to_json(const Message& message) {
  ordered_json all = {{"role", message.role}, {"content", message.content}};
  if (message.more.is_object()) {
    for (const auto& [key, value] : message.more.items()) {
      all[key] = value;
    }
  }
  return all;
}

ordered_json to_json(const Turns& turns) {
  ordered_json messages = ordered_json::array();
  for (const Message& message : turns) {
    messages.push_back(to_json(message));
  }
  return messages;
}

std::string describe(RoleNames names) {
  std::string text;
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if ((names >> i & 1) != 0) {
      // If only the case was wrong, show the name with a capital.
      std::string name(kRoles[i].first);
      name[0] = kRoles[i].first == kRoles[i].second
                    ? static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])))
                    : name[0];
      text += fmt::format("{}{} as {}", text.empty() ? "" : ", ", name, kRoles[i].second);
    }
  }
  return text;
}

Turns MessageReader::list(const ordered_json& value, std::string_view key) const {
  if (!value.is_array()) {
    user_error("{}: key '{}': a list of messages was expected", location_, key);
  }
  Turns turns;
  turns.reserve(value.size());
  for (const ordered_json& each : value) {
    turns.push_back(one(each, key));
  }
  return turns;
}

Message MessageReader::one(const ordered_json& value, std::string_view key) const {
  const bool from_value = value.is_object() && value.contains("from");
  const std::string_view role_key = from_value ? "from" : "role";
  const std::string_view content_key = from_value ? "value" : "content";
  const auto found = value.is_object() ? value.find(role_key) : value.end();
  if (!value.is_object() || found == value.end() || !found->is_string()) {
    user_error(
        "{}: key '{}': a message was expected, {{\"role\": ..., \"content\": ...}} or "
        "{{\"from\": ..., \"value\": ...}}",
        location_, key);
  }
  Message message{.role = role(found->get<std::string>()), .content = {}};
  for (const auto& [name, each] : value.items()) {
    if (name != role_key && name != content_key) {
      message.more[name] = each;
    }
  }
  message.content = content(value, content_key, key);
  if (value.contains(content_key) && value.find(content_key)->is_null()) {
    message.more["content"] = nullptr;
  }
  return message;
}

// The name that templates know. Names from other programs are recognised in any case.
std::string MessageReader::role(std::string name) const {
  const std::string lower = lower_case(name);
  const auto known = std::ranges::find(kRoles, lower, &decltype(kRoles)::value_type::first);
  if (known == kRoles.end() || known->second == name) {
    return name;
  }
  renamed_ |= RoleNames{1} << (known - kRoles.begin());
  return std::string(known->second);
}

std::string MessageReader::content(const ordered_json& value, std::string_view content_key,
                                   std::string_view key) const {
  const auto found = value.find(content_key);
  // A turn without text may still call a tool.
  if (found == value.end() || found->is_null()) {
    const Message calls{.role = {}, .content = {}, .more = value};
    if (tool_calls(calls).empty() && reasoning(calls).empty()) {
      user_error(
          "{}: key '{}': a message's '{}' is {}; a string was expected, or a message with "
          "'tool_calls'",
          location_, key, content_key, found == value.end() ? "missing" : "null");
    }
    return "";
  }
  if (found->is_string()) {
    return found->get<std::string>();
  }
  if (!found->is_array()) {
    user_error(
        "{}: key '{}': a message's '{}' must be a string or a list of {{\"type\": \"text\"}} parts",
        location_, key, content_key);
  }
  std::string joined;
  for (const ordered_json& part : *found) {
    if (!is_text_part(part)) {
      const auto type = part.is_object() ? part.find("type") : part.end();
      const bool named = part.is_object() && type != part.end() && type->is_string();
      user_error(
          "{}: key '{}': a message's '{}' has a part {}; only {{\"type\": \"text\", \"text\": "
          "...}} "
          "is supported, since lmpo trains models of text",
          location_, key, content_key,
          named ? fmt::format("of type '{}'", type->get<std::string>()) : "without a type");
    }
    joined += part["text"].get<std::string>();
  }
  return joined;
}

std::vector<const ordered_json*> tool_calls(const Message& message) {
  std::vector<const ordered_json*> calls;
  if (!message.more.is_object()) {
    return calls;
  }
  if (const auto found = message.more.find("tool_calls");
      found != message.more.end() && found->is_array()) {
    for (const ordered_json& call : *found) {
      calls.push_back(&call);
    }
  }
  if (const auto found = message.more.find("function_call");
      found != message.more.end() && found->is_object()) {
    calls.push_back(&*found);
  }
  return calls;
}

std::string function_name(const ordered_json& call_or_tool) {
  if (!call_or_tool.is_object()) {
    return "";
  }
  const auto inner = call_or_tool.find("function");
  const ordered_json& function =
      inner != call_or_tool.end() && inner->is_object() ? *inner : call_or_tool;
  const auto name = function.find("name");
  return name != function.end() && name->is_string() ? name->get<std::string>() : "";
}

std::string reasoning(const Message& message) {
  if (message.more.is_object()) {
    for (const std::string_view key : kReasoningKeys) {
      const auto found = message.more.find(key);
      if (found != message.more.end() && found->is_string()) {
        return found->get<std::string>();
      }
    }
  }
  return "";
}

bool is_blank(const Message& message) {
  constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
  return message.content.find_first_not_of(kWhiteSpace) == std::string::npos &&
         tool_calls(message).empty() &&
         reasoning(message).find_first_not_of(kWhiteSpace) == std::string::npos;
}

}  // namespace lmpo

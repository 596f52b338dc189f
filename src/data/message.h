// One turn of a conversation: reading it from rows, passing it to chat templates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

struct Message {
  std::string role;
  std::string content;  // "" if the row has none
  // All other keys of the message (tool_calls, name, reasoning_content, ...) in their order, and
  // `content` if it is null. Null if there are none.
  ordered_json more = nullptr;

  bool operator==(const Message&) const = default;
};
using Turns = std::vector<Message>;

// For a template: role and content, then the other keys.
ordered_json to_json(const Message& message);
ordered_json to_json(const Turns& turns);

// A set of role names that data sets use (human, gpt, bot, ...) and that were replaced by names
// that templates know, one bit each.
using RoleNames = std::uint32_t;
// "human as user, bot as assistant".
std::string describe(RoleNames names);

// Reads messages, {"role", "content"} or {"from", "value"}. Content is a string, null, or a list of
// {"type": "text", "text"} parts, which are joined. Every member throws UserError with the location
// and the key. Replaces role names that templates do not know. `location` must outlive it.
class MessageReader {
 public:
  explicit MessageReader(std::string_view location) : location_(location) {}

  Turns list(const ordered_json& value, std::string_view key) const;
  Message one(const ordered_json& value, std::string_view key) const;
  // The role names replaced so far.
  RoleNames renamed() const { return renamed_; }

 private:
  std::string role(std::string name) const;
  std::string content(const ordered_json& value, std::string_view content_key,
                      std::string_view key) const;

  std::string_view location_;
  mutable RoleNames renamed_ = 0;
};

// The tool calls of a turn: its tool_calls and its function_call.
std::vector<const ordered_json*> tool_calls(const Message& message);
// The function's name in a tool call or in the description of a tool; "" if there is none.
std::string function_name(const ordered_json& call_or_tool);
// The turn's reasoning, under one of the key names that models use; "" if it has none.
std::string reasoning(const Message& message);
// Whether the turn is empty: only white space, no tool call, no reasoning.
bool is_blank(const Message& message);

}  // namespace lmpo

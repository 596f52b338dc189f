// One turn of a conversation, as rows give it and as chat templates see it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

struct Message {
  std::string role;
  std::string content;  // "" where the row has none
  // Every other key of the row's message (tool_calls, name, reasoning_content, ...) in its order,
  // and `content` where that is null; null where there is none of these.
  ordered_json more = nullptr;

  bool operator==(const Message&) const = default;
};
using Turns = std::vector<Message>;

// As a template sees it: role and content, then the other keys.
ordered_json to_json(const Message& message);
ordered_json to_json(const Turns& turns);

// Names that data sets give to the speakers (human, gpt, bot, ...) and the ones that templates
// know, as bits of a set.
using RoleNames = std::uint32_t;
// "human is taken as user, bot as assistant".
std::string describe(RoleNames names);

// Reads messages, {"role", "content"} or {"from", "value"}. Content is a string, null, or a list of
// {"type": "text", "text"} parts, which are joined. Every member throws UserError with the
// location and the key.
class MessageReader {
 public:
  explicit MessageReader(std::string_view location) : location_(location) {}

  Turns list(const ordered_json& value, std::string_view key) const;
  Message one(const ordered_json& value, std::string_view key) const;
  // Those that were replaced in what was read so far.
  RoleNames renamed() const { return renamed_; }

 private:
  std::string role(std::string name) const;
  std::string content(const ordered_json& value, std::string_view content_key,
                      std::string_view key) const;

  std::string_view location_;
  mutable RoleNames renamed_ = 0;
};

// The calls of a turn: its tool_calls, or its function_call; empty where it has none.
std::vector<const ordered_json*> tool_calls(const Message& message);
// The function's name in a call or in the description of a tool; "" where there is none.
std::string function_name(const ordered_json& call_or_tool);
// What the turn says it thought, under one of the names that models use; "" where it has none.
std::string reasoning(const Message& message);
// Whether the turn says nothing: no text but white space, no call, no reasoning.
bool is_blank(const Message& message);

}  // namespace lmpo

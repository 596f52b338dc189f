// The messages of a conversation, with undo.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace lmpo {

class Conversation {
 public:
  // As chat templates take them: [{"role": "system" | "user" | "assistant", "content": TEXT}, ...].
  const ordered_json& messages() const { return messages_; }
  bool empty() const;              // true if there is at most a system message
  std::int64_t exchanges() const;  // the number of user messages

  // The system message is the first message; "" means that there is none.
  void set_system(const std::string& text);
  std::string system() const;

  void add_user(std::string text) { add("user", std::move(text)); }
  void add_assistant(std::string text) { add("assistant", std::move(text)); }
  // Removes the last user message and everything after it. Returns the text of that message, or
  // nothing if there was none.
  std::optional<std::string> undo();
  // Removes all messages except the system message.
  void reset();

  // Replaces the conversation by a list of messages, or by the list under "messages" of an object.
  // UserError, which names `source` and the bad message, leaves the conversation unchanged.
  void load(const ordered_json& content, std::string_view source);

 private:
  void add(const char* role, std::string text);

  ordered_json messages_ = ordered_json::array();
};

}  // namespace lmpo

// A conversation as messages: what was said, and how to take it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace lmpo {

class Conversation {
 public:
  // For a chat template: [{"role": "system" | "user" | "assistant", "content": TEXT}, ...].
  const ordered_json& messages() const { return messages_; }
  bool empty() const;              // but for the system's message
  std::int64_t exchanges() const;  // messages of the user

  // The first message; "" is none.
  void set_system(const std::string& text);
  std::string system() const;

  void add_user(std::string text) { add("user", std::move(text)); }
  void add_assistant(std::string text) { add("assistant", std::move(text)); }
  // Takes the last message of the user back, and what was answered; returns it, or nothing where
  // there is none.
  std::optional<std::string> undo();
  // All but the system's message.
  void reset();

  // Replaces the conversation by a list of messages, or by the value of "messages" of an object.
  // UserError, which leaves it as it was, names `source` and what is no message.
  void load(const ordered_json& content, std::string_view source);

 private:
  void add(const char* role, std::string text);

  ordered_json messages_ = ordered_json::array();
};

}  // namespace lmpo

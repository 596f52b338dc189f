#include "generate/conversation.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {
namespace {

bool has_role(const ordered_json& message, const char* role) {
  return message.at("role") == role;
}

bool is_message(const ordered_json& value) {
  return value.is_object() && value.value("role", ordered_json()).is_string() &&
         value.value("content", ordered_json()).is_string();
}

}  // namespace

bool Conversation::empty() const {
  return std::ranges::all_of(messages_,
                             [](const auto& message) { return has_role(message, "system"); });
}

std::int64_t Conversation::exchanges() const {
  return std::ranges::count_if(messages_,
                               [](const auto& message) { return has_role(message, "user"); });
}

std::string Conversation::system() const {
  const bool has_one = !messages_.empty() && has_role(messages_.front(), "system");
  return has_one ? messages_.front().at("content").get<std::string>() : "";
}

void Conversation::set_system(const std::string& text) {
  if (!messages_.empty() && has_role(messages_.front(), "system")) {
    messages_.erase(messages_.begin());
  }
  if (!text.empty()) {
    messages_.insert(messages_.begin(), ordered_json{{"role", "system"}, {"content", text}});
  }
}

std::optional<std::string> Conversation::undo() {
  for (std::size_t i = messages_.size(); i-- > 0;) {
    if (has_role(messages_[i], "user")) {
      auto text = messages_[i].at("content").get<std::string>();
      messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(i), messages_.end());
      return text;
    }
  }
  return std::nullopt;
}

void Conversation::reset() {
  const std::string kept = system();
  messages_ = ordered_json::array();
  set_system(kept);
}

void Conversation::load(const ordered_json& content, std::string_view source) {
  const ordered_json list =
      content.is_object() ? content.value("messages", ordered_json()) : content;
  if (!list.is_array() || list.empty()) {
    user_error("{}: a list of messages was expected, [{{\"role\": ..., \"content\": ...}}, ...]",
               source);
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!is_message(list[i])) {
      user_error(
          "{}: message {} (counted from 0): an object with 'role' and 'content', both texts, "
          "was expected",
          source, i);
    }
  }
  messages_ = list;
}

void Conversation::add(const char* role, std::string text) {
  messages_.push_back({{"role", role}, {"content", std::move(text)}});
}

}  // namespace lmpo

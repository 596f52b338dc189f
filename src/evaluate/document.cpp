#include "evaluate/document.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"

namespace lmpo {
namespace {

std::optional<std::int64_t> integer_of(const ordered_json& value) {
  if (value.is_number_integer()) {
    return value.get<std::int64_t>();
  }
  if (!value.is_string()) {
    return std::nullopt;
  }
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

std::string keys_of(const ordered_json& row) {
  std::string keys;
  for (const auto& item : row.items()) {
    keys += (keys.empty() ? "" : ", ") + item.key();
  }
  return keys.empty() ? "nothing" : keys;
}

}  // namespace

const ordered_json* Document::find(std::string_view key) const {
  const auto found = row_.find(key);
  return found == row_.end() || found->is_null() ? nullptr : &*found;
}

void Document::refuse(std::string_view key, std::string_view expected) const {
  const ordered_json* value = find(key);
  if (value == nullptr) {
    user_error("{}: '{}' is missing; {} was expected. The row has {}", place_, key, expected,
               keys_of(row_));
  }
  user_error("{}: '{}' is {}; {} was expected", place_, key, json_line(*value).substr(0, 80),
             expected);
}

std::string Document::text(std::string_view key) const {
  const ordered_json* value = find(key);
  if (value == nullptr || !value->is_string()) {
    refuse(key, "a text");
  }
  return value->get<std::string>();
}

std::int64_t Document::number(std::string_view key) const {
  const ordered_json* value = find(key);
  const std::optional<std::int64_t> number = value == nullptr ? std::nullopt : integer_of(*value);
  if (!number) {
    refuse(key, "an integer");
  }
  return *number;
}

std::vector<std::string> Document::texts(std::string_view key) const {
  const ordered_json* value = find(key);
  const auto is_text = [](const ordered_json& item) { return item.is_string(); };
  if (value == nullptr || !value->is_array() ||
      !std::all_of(value->begin(), value->end(), is_text)) {
    refuse(key, "a list of texts");
  }
  return value->get<std::vector<std::string>>();
}

std::vector<std::int64_t> Document::numbers(std::string_view key) const {
  const ordered_json* value = find(key);
  if (value == nullptr || !value->is_array()) {
    refuse(key, "a list of integers");
  }
  std::vector<std::int64_t> numbers;
  for (const ordered_json& item : *value) {
    const std::optional<std::int64_t> number = integer_of(item);
    if (!number) {
      refuse(key, "a list of integers");
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Document Document::part(std::string_view key) const {
  const ordered_json* value = find(key);
  if (value == nullptr || !value->is_object()) {
    refuse(key, "an object");
  }
  return {*value, place_ + ": " + std::string(key)};
}

std::int64_t index_of(const std::vector<std::string>& values, std::string_view value) {
  const auto found = std::ranges::find(values, value);
  return found == values.end() ? -1 : found - values.begin();
}

}  // namespace lmpo

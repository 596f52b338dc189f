#include "report/lenient_json.h"

#include <cmath>

#include "base/utf8.h"

namespace lmpo {
namespace {

std::optional<json> parsed(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? std::nullopt : std::optional(std::move(value));
}

// Numbers that JSON does not have, outside of strings, as null.
std::string without_nan(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  bool quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    std::size_t word = 0;
    for (const std::string_view number : {"NaN", "Infinity", "-Infinity"}) {
      word = !quoted && rest.starts_with(number) ? number.size() : word;
    }
    if (word > 0) {
      clean += "null";
      at += word;
      continue;
    }
    if (quoted && text[at] == '\\' && at + 1 < text.size()) {
      clean += text[at++];
    } else if (text[at] == '"') {
      quoted = !quoted;
    }
    clean += text[at++];
  }
  return clean;
}

}  // namespace

std::optional<json> parse_lenient(std::string_view text) {
  if (auto value = parsed(text)) {
    return value;
  }
  return parsed(without_nan(replace_invalid_utf8(text)));
}

std::int64_t for_each_json_line(std::string_view text, const std::function<void(json&&)>& take) {
  std::int64_t unread = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    if (auto value = parse_lenient(line)) {
      take(std::move(*value));
    } else if (end < text.size()) {
      ++unread;
    }
  }
  return unread;
}

const json& member(const json& object, std::string_view key) {
  static const json none;
  if (!object.is_object()) {
    return none;
  }
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

double number_or(const json& object, std::string_view key, double fallback) {
  const json& value = member(object, key);
  return value.is_number() ? value.get<double>() : fallback;
}

std::int64_t integer_or(const json& object, std::string_view key, std::int64_t fallback) {
  const double value = number_or(object, key, std::nan(""));
  return std::abs(value) < 9e15 ? static_cast<std::int64_t>(value) : fallback;
}

std::string text_or(const json& object, std::string_view key, std::string_view fallback) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string(fallback);
}

}  // namespace lmpo

#include "base/json.h"

#include <cstdint>

#include "base/error.h"
#include "base/utf8.h"

template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace lmpo {
namespace {

template <typename T>
struct Kind;
template <>
struct Kind<bool> {
  static constexpr const char* kName = "true or false";
  static bool matches(const json& value) { return value.is_boolean(); }
};
template <>
struct Kind<std::int64_t> {
  static constexpr const char* kName = "a whole number";
  static bool matches(const json& value) {
    return value.is_number_integer() &&
           !(value.is_number_unsigned() &&
             value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  }
};
template <>
struct Kind<double> {
  static constexpr const char* kName = "a number";
  static bool matches(const json& value) { return value.is_number(); }
};
template <>
struct Kind<std::string> {
  static constexpr const char* kName = "a string";
  static bool matches(const json& value) { return value.is_string(); }
};

template <typename T>
T typed(const json& value, std::string_view key, std::string_view source) {
  if (!Kind<T>::matches(value)) {
    std::string shown = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (shown.size() > 60) {
      shown = shown.substr(0, 57) + "...";
    }
    user_error("{}: key '{}': {} was expected, not {}", source, key, Kind<T>::kName, shown);
  }
  return value.get<T>();
}

// Code that walks, copies or prints a value recurses once per level, so deeper nesting could exhaust the
// stack.
constexpr int kDeepestNesting = 500;

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepestNesting) {
        return true;
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

template <typename Json>
Json parse_as(std::string_view text, std::string_view source) {
  if (nests_too_deep(text)) {
    user_error("{}: lists and objects are nested more than {} deep", source, kDeepestNesting);
  }
  try {
    return Json::parse(text);
  } catch (const json::exception& error) {
    user_error("{}: not valid JSON: {}", source, short_message(error));
  }
}

}  // namespace

std::string json_line(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string short_message(const json::exception& error) {
  constexpr std::size_t kLongest = 200;
  // "[json.exception.parse_error.101] parse error at line 1, ..."
  std::string_view text = error.what();
  const auto bracket = text.find("] ");
  text.remove_prefix(bracket == std::string_view::npos ? 0 : bracket + 2);
  return text.size() <= kLongest ? std::string(text)
                                 : replace_invalid_utf8(text.substr(0, kLongest)) + "...";
}

json parse_json(std::string_view text, std::string_view source) {
  return parse_as<json>(text, source);
}

ordered_json parse_ordered_json(std::string_view text, std::string_view source) {
  return parse_as<ordered_json>(text, source);
}

json read_json(const fs::path& path) {
  return parse_json(read_file(path), path.string());
}

template <typename T>
T required(const json& object, std::string_view key, std::string_view source) {
  if (!object.is_object()) {
    user_error("{}: an object with the key '{}' was expected", source, key);
  }
  const auto found = object.find(key);
  if (found == object.end()) {
    user_error("{}: the key '{}' is missing", source, key);
  }
  return typed<T>(*found, key, source);
}

template <typename T>
T optional(const json& object, std::string_view key, const T& fallback, std::string_view source) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    return fallback;
  }
  return typed<T>(*found, key, source);
}

#define LMPO_JSON_TYPE(T)                                                  \
  template T required<T>(const json&, std::string_view, std::string_view); \
  template T optional<T>(const json&, std::string_view, const T&, std::string_view);
LMPO_JSON_TYPE(bool)
LMPO_JSON_TYPE(std::int64_t)
LMPO_JSON_TYPE(double)
LMPO_JSON_TYPE(std::string)
#undef LMPO_JSON_TYPE

}  // namespace lmpo

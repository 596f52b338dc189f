// Python's str over valid UTF-8: what the module `jinja` does not have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/text_functions.h"

namespace lmpo::grade {

using jinja::lower;

// str.strip(), str.lstrip() and so on, of white space or of the characters of a set.
inline std::string strip(std::string_view text) {
  return jinja::strip(text, {}, true, true);
}
inline std::string strip(std::string_view text, const std::string& set) {
  return jinja::strip(text, set, true, true);
}
inline std::string strip_left(std::string_view text, const std::string& set) {
  return jinja::strip(text, set, true, false);
}
inline std::string strip_right(std::string_view text, const std::string& set) {
  return jinja::strip(text, set, false, true);
}

// Whether nothing but white space is there.
inline bool is_blank(std::string_view text) {
  return strip(text).empty();
}

// str.removeprefix and str.removesuffix.
inline std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}
inline std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

// str.split(separator): the parts between, of which there is at least one.
std::vector<std::string_view> split(std::string_view text, std::string_view separator);
// str.replace(from, to).
std::string replace(std::string_view text, std::string_view from, std::string_view to);

// str.isupper() and str.islower(): a letter with case is there and none has the other case.
bool is_upper(std::string_view text);
bool is_lower(std::string_view text);

}  // namespace lmpo::grade

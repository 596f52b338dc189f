// JSON from the user's files. A UserError names the file, the key, and what was expected.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/file.h"

// Compiled once, in json.cpp.
extern template class nlohmann::basic_json<>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace lmpo {

using json = nlohmann::json;
// Keeps the order of keys, for files that are read and written again.
using ordered_json = nlohmann::ordered_json;

// `source` names the text in errors: a path, or path:line.
json parse_json(std::string_view text, std::string_view source);
ordered_json parse_ordered_json(std::string_view text, std::string_view source);
json read_json(const fs::path& path);

// On one line. Invalid UTF-8, which JSON does not have, becomes U+FFFD.
std::string json_line(const ordered_json& value);

// The library's message without its prefix, shortened: it quotes the text, which may have
// megabytes.
std::string short_message(const json::exception& error);

// The value of a key. required() throws if it is missing; optional() returns the fallback if it is
// missing or null. T: bool, std::int64_t, double, std::string.
template <typename T>
T required(const json& object, std::string_view key, std::string_view source);
template <typename T>
T optional(const json& object, std::string_view key, const T& fallback, std::string_view source);

}  // namespace lmpo

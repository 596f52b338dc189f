// JSON from people's files: every error names the file, the key, and what was expected.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/file.h"

namespace lmpo {

using json = nlohmann::json;
// Keeps the order of keys, for files that are read and written back.
using ordered_json = nlohmann::ordered_json;

// `source` names the text in errors: a path, or path:line.
json parse_json(std::string_view text, std::string_view source);
json read_json(const fs::path& path);

// What the library says of a text, without its own prefix and short enough for a person: it quotes
// what it read last, which may be megabytes.
std::string short_message(const json::exception& error);

// The value of a key that must be there (or may be absent or null: the fallback), of type T.
// T: bool, std::int64_t, double, std::string.
template <typename T>
T required(const json& object, std::string_view key, std::string_view source);
template <typename T>
T optional(const json& object, std::string_view key, const T& fallback, std::string_view source);

}  // namespace lmpo

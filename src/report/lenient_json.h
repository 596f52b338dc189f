// Reads JSON as programs write it in practice. Pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace lmpo {

// NaN, Infinity and -Infinity of Python become null, bytes that are not UTF-8 become U+FFFD. Nothing
// if the text is not JSON even then.
std::optional<json> parse_lenient(std::string_view text);

// Calls `take` with each line that is JSON and returns the number of the others. Blank lines and a
// last line without a line end, which is still being written or was torn by a kill, do not count.
std::int64_t for_each_json_line(std::string_view text, const std::function<void(json&&)>& take);

// The value of an object's key, or the fallback if there is no object, no such key or another type.
// Integers beyond 9e15, which a double may not hold exactly, also give the fallback.
double number_or(const json& object, std::string_view key, double fallback);
std::int64_t integer_or(const json& object, std::string_view key, std::int64_t fallback);
std::string text_or(const json& object, std::string_view key, std::string_view fallback);
// The value of an object's key, or null.
const json& member(const json& object, std::string_view key);

}  // namespace lmpo

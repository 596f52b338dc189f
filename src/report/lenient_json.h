// JSON as programs write it in practice.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace lmpo {

// Python's NaN, Infinity and -Infinity are null, bytes that are not UTF-8 are U+FFFD. Nothing where
// the text is not JSON even then.
std::optional<json> parse_lenient(std::string_view text);

// Calls `take` with each line that is JSON. Returns how many others there are, but for blank ones
// and a last line without its end, which is still being written or was torn by a kill.
std::int64_t for_each_json_line(std::string_view text, const std::function<void(json&&)>& take);

// The value of a key of an object: nothing where there is no object, no key, or another type. Large
// numbers that are no longer exact are numbers all the same.
double number_or(const json& object, std::string_view key, double fallback);
std::int64_t integer_or(const json& object, std::string_view key, std::int64_t fallback);
std::string text_or(const json& object, std::string_view key, std::string_view fallback);
// Null where there is none.
const json& member(const json& object, std::string_view key);

}  // namespace lmpo

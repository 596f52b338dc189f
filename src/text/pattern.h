// What Split and Replace look for: a literal text or a regular expression.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/json_part.h"

namespace lmpo {

// All matches in a text, from left to right. Thread-safe.
using Pattern = std::function<std::vector<Span>(std::string_view)>;

// The literal is not empty.
Pattern literal_pattern(std::string literal);
// Every character that belongs to a class.
Pattern character_pattern(bool (*belongs)(char32_t));
// {"String": ...} or {"Regex": ...} at the key "pattern" of the part.
Pattern read_pattern(const JsonPart& part);

// The size of replace_all's result.
std::size_t replaced_size(std::string_view text, const std::vector<Span>& matches,
                          std::string_view content);
// The text with `content` in place of every match.
std::string replace_all(std::string_view text, const std::vector<Span>& matches,
                        std::string_view content);

}  // namespace lmpo

// Values of rows that other programs wrote.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "data/reader.h"

namespace lmpo {

// A text. UserError with the row's location where the key is missing or holds something else.
std::string text_of_row(const SourceRow& row, std::string_view key);
// "" where the key is missing or null.
std::string text_or_empty(const SourceRow& row, std::string_view key);
// A number; NaN where the key is missing or null.
double number_or_nan(const SourceRow& row, std::string_view key);

// Every row of a file of JSON or JSON Lines. UserError that says `what` was expected where there is
// none.
std::vector<SourceRow> rows_of(const fs::path& file, std::string_view what);

// A value some levels down, as `usage.total_tokens` is; null where one of them is missing or something
// else.
const ordered_json* descend(const ordered_json& value, std::initializer_list<const char*> keys);

// The number of code points, which is what Python's len counts. The text is valid UTF-8.
std::int64_t code_points(std::string_view text);

}  // namespace lmpo

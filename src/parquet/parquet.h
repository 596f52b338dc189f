// Rows of a Parquet file, read by Arrow's library. That library is large and only Parquet needs it,
// so it is behind a plugin, lmpo_parquet.so beside the program, loaded when the first file is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

// Whether a file with these first bytes is a Parquet file.
bool is_parquet(std::span<const std::byte> bytes);

// Receives one row: an object of its columns, in the file's order. A column or key of a struct whose
// value is null is left out. If some text of the row is not UTF-8, `valid_utf8` is false and `value`
// is null.
using ParquetRow = std::function<void(ordered_json&& value, bool valid_utf8)>;

// Calls `row` for each row, in order, and returns the number of rows. Only the wanted columns are
// decoded; the names of the others are appended to `unread`. Holds one batch of rows in memory at a
// time. Numbers that are not finite become null; types that JSON lacks (times, decimals) become
// text. `source` names the file in errors. Throws UserError if the file is damaged, if it has none
// of the wanted columns, or if the plugin or Arrow's library is missing.
std::int64_t read_parquet(std::span<const std::byte> bytes, std::string_view source,
                          std::span<const std::string> wanted_columns, const ParquetRow& row,
                          std::vector<std::string>* unread = nullptr);

}  // namespace lmpo

// Rows of a Parquet file, by Arrow's library. That is large and only Parquet needs it, so it lies
// behind a module, lmpo_parquet.so beside the program, that is loaded when the first file is read.
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

// Whether a file that begins so is a Parquet file.
bool is_parquet(std::span<const std::byte> bytes);

// An object of the row's columns, in the file's order, in which a column, or a key of a struct,
// whose value is null is left out; null where `valid_utf8` is false, since some text of the row is
// not UTF-8.
using ParquetRow = std::function<void(ordered_json&& value, bool valid_utf8)>;

// Calls `row` for each row in order and returns their number; only columns of the wanted names are
// decoded; the names of the others are put into `unread`. Holds one batch of rows in memory at a
// time. Numbers that are not finite become null, and types that JSON lacks (times, decimals) text.
// `source` names the bytes in errors. Throws UserError where the file is damaged, has none of the
// wanted columns, or cannot be read by this program, since the module or Arrow is not there.
std::int64_t read_parquet(std::span<const std::byte> bytes, std::string_view source,
                          std::span<const std::string> wanted_columns, const ParquetRow& row,
                          std::vector<std::string>* unread = nullptr);

}  // namespace lmpo

// Reads the rows of a data file, one at a time. The content decides the format, not the file's
// name: a JSON array of objects or JSON Lines (one object per line, blank lines skipped), either
// may be compressed by gzip or zstd; or Parquet.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

struct SourceRow {
  std::int64_t index = 0;  // in its file, counted from 0
  std::string location;    // "FILE: row 17" (array and Parquet, from 0) or "FILE:18" (line, from 1)
  ordered_json value;      // an object; null where valid_utf8 is false
  bool valid_utf8 = true;  // false: the row's bytes are not UTF-8, so it must not be used
};

using RowCallback = std::function<void(SourceRow&&)>;

// Calls `callback` for each row, in order, and returns the number of rows. The file is mapped, and
// only one row is parsed at a time (of Parquet, one batch), so memory does not grow with the file.
// A UTF-8 byte order mark is skipped. Throws UserError with the row's location if a row is not
// JSON, not an object, or nested deeper than 256, and if the file has none of these formats.
//
// From a Parquet file only the wanted columns are read; rows of JSON have all their keys. A column
// that is null in a row is not among its keys. Throws UserError for a Parquet file with none of the
// wanted columns; the names of its other columns are appended to `unread`.
//
// NaN, Infinity and numbers beyond a double's range are read as null; Python writes them, JSON does
// not have them.
std::int64_t read_rows(const fs::path& file, std::span<const std::string> wanted_columns,
                       const RowCallback& callback, std::vector<std::string>* unread = nullptr);

// The same with all keys of schema.h as wanted columns.
std::int64_t read_rows(const fs::path& file, const RowCallback& callback);

// The same from JSON text; `source` names it in locations and errors.
std::int64_t read_rows(std::string_view text, std::string_view source, const RowCallback& callback);

}  // namespace lmpo

// Rows of a data file, one at a time. The format is told by the content, not by the file's name:
// a JSON array of objects, or JSON Lines (one object a line, blank lines skipped), either also
// compressed by gzip or zstd; or Parquet.
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
  std::int64_t index = 0;  // within its file, counted from 0
  std::string location;    // "FILE: row 17" (array and Parquet, from 0) or "FILE:18" (line, from 1)
  ordered_json value;      // an object; null where valid_utf8 is false
  bool valid_utf8 = true;  // false: the row's bytes are not UTF-8, so it must not be used
};

using RowCallback = std::function<void(SourceRow&&)>;

// Calls `callback` for each row in order and returns their number. The file is mapped, and only one
// row is held parsed (of Parquet, a batch of them decoded), so memory does not grow with the file.
// A UTF-8 byte order mark is skipped. Throws UserError naming the row's location for what is not
// JSON, not an object, or nested deeper than 256; and for a file of no such format.
//
// Of a Parquet file only the columns of the wanted names are read; rows of JSON come with all their
// keys. A column that is null in a row is not among its keys. Throws UserError for a Parquet file
// with none of these columns; the names of its other columns are put into `unread`.
//
// NaN, Infinity and numbers beyond a double's range, which Python writes and JSON does not know,
// are read as null.
std::int64_t read_rows(const fs::path& file, std::span<const std::string> wanted_columns,
                       const RowCallback& callback, std::vector<std::string>* unread = nullptr);

// The same for the keys that a schema asks for (schema.h).
std::int64_t read_rows(const fs::path& file, const RowCallback& callback);

// The same from JSON text; `source` names it in locations and errors.
std::int64_t read_rows(std::string_view text, std::string_view source, const RowCallback& callback);

}  // namespace lmpo

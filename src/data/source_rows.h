// The rows of a run's data sources, in the order in which they are counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/files.h"
#include "data/reader.h"
#include "data/schema.h"

namespace lmpo {

// Is given the columns of a Parquet file that were not read.
using UnreadColumns = std::function<void(const std::vector<std::string>&)>;

// Calls `callback` for each row of the source: of its files in order, within the slice of its split
// and its most_rows, with the columns it renames, as often as its weight says. Throws UserError for
// what read_rows refuses, for a file without rows, and for a renamed column that no row has.
void read_source(const SourceFiles& found, const RowCallback& callback,
                 const UnreadColumns& see_unread = nullptr);

// The prompts of these rows, which are counted from 0 over all sources, as load_dataset counts:
// messages, or a text where the row is plain text. Rows that cannot be used are left out. Reads no
// further than the last of the rows.
std::map<std::int64_t, ordered_json> read_prompts(const std::vector<SourceFiles>& sources,
                                                  RowKind kind, const std::set<std::int64_t>& rows);

}  // namespace lmpo

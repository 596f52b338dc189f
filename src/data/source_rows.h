// The rows of a run's data sources, in order.
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

// Receives the columns of a Parquet file that were not read.
using UnreadColumns = std::function<void(const std::vector<std::string>&)>;

// Calls `callback` for each row of the source: its files in order, limited by the slice of its
// split and by most_rows, with renamed columns, repeated by weight. Throws UserError as read_rows
// does, for a file without rows, and for a column to be renamed that no row has.
void read_source(const SourceFiles& found, const RowCallback& callback,
                 const UnreadColumns& see_unread = nullptr);

// The prompts of the given rows: messages, or a text for plain rows. Row numbers count from 0 over
// all sources, as in load_dataset. Rows that cannot be used are left out. Reads no further than the
// last of the rows.
std::map<std::int64_t, ordered_json> read_prompts(const std::vector<SourceFiles>& sources,
                                                  RowKind kind, const std::set<std::int64_t>& rows);

}  // namespace lmpo

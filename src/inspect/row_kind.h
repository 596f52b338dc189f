// Which kind of rows data has, told by its first row.
#pragma once

#include <string_view>
#include <vector>

#include "data/schema.h"
#include "data/source.h"

namespace lmpo {

// "preference", "sft", "labelled", "ranked", in the order of RowKind.
std::string_view name(RowKind kind);

// Preference where the row has chosen and rejected, ranked where it has responses, labelled where
// it has a label, else sft. Names of columns are those after DataSource::columns. UserError as for
// load_dataset; preference for files without rows, which load_dataset refuses.
RowKind detect_row_kind(const std::vector<DataSource>& sources);

}  // namespace lmpo

// Detects the kind of rows from the first one.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "data/schema.h"
#include "data/source.h"

namespace lmpo {

// "preference", "sft", "labelled", "ranked", in the order of RowKind.
std::string_view name(RowKind kind);
// None for any other name.
std::optional<RowKind> row_kind_named(std::string_view name);

// Preference for rows with chosen and rejected, ranked with responses, labelled with a label, else
// sft. Columns are renamed by DataSource::columns first. Throws as load_dataset does; files without
// rows, which load_dataset refuses, count as preference.
RowKind detect_row_kind(const std::vector<DataSource>& sources);

}  // namespace lmpo

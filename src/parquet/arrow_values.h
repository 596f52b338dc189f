// Values of Arrow's arrays as JSON.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "parquet/arrow_abi.h"

namespace lmpo {

// The value at `index` of a valid array of the types that plugin.h names, null where it is null. In
// structs, keys whose value is null are left out: a column of structs has all keys that one of its
// rows has. `valid_utf8` becomes false where some text in the value is not UTF-8.
ordered_json arrow_value(const ArrowSchema& schema, const ArrowArray& array, std::int64_t index,
                         bool& valid_utf8);

}  // namespace lmpo

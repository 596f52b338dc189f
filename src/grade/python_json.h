// Whether a text is JSON as Python's json.loads reads it.
#pragma once

#include <string_view>

namespace lmpo::grade {

// Unlike our own reader it takes NaN, Infinity and -Infinity, numbers of any size and halves of
// surrogate pairs, and refuses a byte order mark and integers of more than 4,300 digits. A text
// whose arrays and objects are nested more than 900 deep, for which Python raises a RecursionError,
// is not JSON. The text is valid UTF-8. Thread-safe.
bool is_python_json(std::string_view text);

}  // namespace lmpo::grade

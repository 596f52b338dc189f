// The JSON text at the beginning of a safetensors file.
#pragma once

#include <string_view>

#include "base/json.h"

namespace lmpo {

// UserError, by the name of `source`, for text that is not JSON, names a key twice or is nested
// deeper than {NAME: {"shape": [...]}}.
json parse_header_json(std::string_view text, std::string_view source);

}  // namespace lmpo

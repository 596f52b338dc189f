// Suggestions for misspelt names.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lmpo {

// The known name nearest to `typed` by edit distance; "" if none is near.
std::string nearest_name(std::string_view typed, std::span<const std::string> known);
// " (did you mean 'x'?)" or "".
std::string suggestion(std::string_view typed, std::span<const std::string> known);

}  // namespace lmpo

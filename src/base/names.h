// Names people type.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lmpo {

// The known name nearest to what was typed (edit distance), or "" where none is near.
std::string nearest_name(std::string_view typed, std::span<const std::string> known);
// " (did you mean 'x'?)" or "".
std::string suggestion(std::string_view typed, std::span<const std::string> known);

}  // namespace lmpo

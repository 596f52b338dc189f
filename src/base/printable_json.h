// JSON that a terminal can only show.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// The same JSON, in which characters that command a terminal, or turn the direction of writing, are
// escaped ("\u009b"): nothing changes for a program, and a person may look at it.
std::string printable_json(std::string_view valid_json);

}  // namespace lmpo

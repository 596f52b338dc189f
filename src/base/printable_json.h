// JSON that is safe to print on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// The same JSON with control characters and characters that change the direction of writing escaped
// ("\u009b"). A program reads the same values.
std::string printable_json(std::string_view valid_json);

}  // namespace lmpo

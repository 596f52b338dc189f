// Text inside HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// What stands for itself: & < > and quotes are written as entities, control characters other than
// line ends, which XML forbids, become spaces.
std::string escape_markup(std::string_view text);

}  // namespace lmpo

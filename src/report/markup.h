// Escapes text for HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// Writes & < > and quotes as entities. Control characters other than line ends, which XML forbids,
// become spaces.
std::string escape_markup(std::string_view text);

}  // namespace lmpo

// Colours of lines that people can tell apart, on a light and on a dark ground.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lmpo {

struct LineColour {
  std::string light;  // on a light ground, "#rrggbb"
  std::string dark;   // on a dark one
};

// The first eight are Okabe and Ito's, which people with any colour vision can tell apart, and two
// like them. More are spread over hue and lightness: neighbours differ in both.
std::vector<LineColour> line_colours(std::size_t count);

}  // namespace lmpo

// Colours of lines that people can tell apart, on light and on dark grounds.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lmpo {

struct LineColour {
  std::string light;  // on a light ground, "#rrggbb"
  std::string dark;   // on a dark one
};

// `count` different colours. Up to eight are Okabe and Ito's palette, which people with any colour
// vision can tell apart, and two like it. More are spread over hue and lightness, so that
// neighbours differ in both.
std::vector<LineColour> line_colours(std::size_t count);

// The colour of a run in the page's tables and charts: a CSS variable that the page sets.
std::string run_colour(std::size_t run);

}  // namespace lmpo

#include "report/colours.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace lmpo {
namespace {

const std::array<LineColour, 8> kFew = {{{"#0072b2", "#4aa8e0"},
                                         {"#d55e00", "#ff8b45"},
                                         {"#009e73", "#2cc79b"},
                                         {"#cc79a7", "#e79cc5"},
                                         {"#e69f00", "#f3bb3c"},
                                         {"#56b4e9", "#a5dcff"},
                                         {"#7d4fb3", "#b794f0"},
                                         {"#6b7077", "#aeb6bf"}}};

double encoded(double linear) {  // sRGB's transfer function
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

// Of OKLCH (Ottosson 2020), whose lightness and chroma look alike at every hue; the hue in turns.
std::array<double, 3> linear_rgb(double lightness, double chroma, double hue) {
  const double angle = 2 * std::numbers::pi * hue;
  const double a = chroma * std::cos(angle);
  const double b = chroma * std::sin(angle);
  const auto cube = [](double x) { return x * x * x; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

// The most chroma that a screen can show, up to the one that is asked for.
std::string hex(double lightness, double chroma, double hue) {
  for (;; chroma *= 0.95) {
    const auto rgb = linear_rgb(lightness, chroma, hue);
    const auto [least, most] = std::minmax_element(rgb.begin(), rgb.end());
    if (*least >= -1e-4 && *most <= 1 + 1e-4) {
      const auto byte = [](double x) {
        return static_cast<int>(std::lround(255 * encoded(std::clamp(x, 0.0, 1.0))));
      };
      return fmt::format("#{:02x}{:02x}{:02x}", byte(rgb[0]), byte(rgb[1]), byte(rgb[2]));
    }
  }
}

}  // namespace

std::vector<LineColour> line_colours(std::size_t count) {
  if (count <= kFew.size()) {
    return {kFew.begin(), kFew.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  static constexpr std::array light = {0.52, 0.64, 0.42};
  static constexpr std::array dark = {0.72, 0.83, 0.62};
  std::vector<LineColour> colours;
  for (std::size_t i = 0; i < count; ++i) {
    // The golden section never comes near a hue it has had.
    const double hue = std::fmod(0.69 + static_cast<double>(i) * 0.3819660113, 1.0);
    colours.push_back({hex(light[i % 3], 0.17, hue), hex(dark[i % 3], 0.15, hue)});
  }
  return colours;
}

std::string run_colour(std::size_t run) {
  return fmt::format("var(--run-{})", run);
}

}  // namespace lmpo

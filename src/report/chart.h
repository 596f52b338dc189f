// Line charts as one self-contained SVG: no scripts, no fonts of its own, a white ground, so that
// it looks the same in a README, a browser or a paper.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lmpo {

struct Point {
  double x;
  double y;
};

struct Series {
  std::string name;           // in the legend
  std::vector<Point> points;  // x rising; a point that is not finite leaves a gap
  // Between 0 and 1: the line is an exponential moving average with this much memory, drawn over
  // the points themselves, which are faded. 0 draws the points alone.
  double smoothing = 0;
  // Half the height of an error bar at each point (a standard error, for example); empty: none.
  std::vector<double> errors = {};
  std::string colour = {};  // a CSS value; empty: the palette's next
  bool dashed = false;
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<Series> series;
  bool log_x = false;  // the x axis is logarithmic; points that are not above 0 are left out
};

// Of all but the lines. CSS values, so that a page may set its own ("var(--ink)").
struct ChartColours {
  std::string ink = "#24292f";
  std::string faint = "#6e7781";  // numbers and labels
  std::string grid = "#d8dee4";
  std::string ground = "#ffffff";
};

// The charts in rows of `columns`. A chart without a finite point says so. Lines of more points
// than pixels keep the least and the most of each pixel.
std::string charts_svg(std::span<const Chart> charts, int columns = 2,
                       const ChartColours& colours = {});

// The outline of a histogram's bars, as points of a series: counts[i] lie in
// [edges[i], edges[i + 1]).
std::vector<Point> outline(std::span<const std::int64_t> edges,
                           std::span<const std::int64_t> counts);

// At most 2 x `buckets` points: the least and the most of each of as many parts of the points, in
// their order. A part with a point that is not finite keeps that too, as the gap it is.
std::vector<Point> thinned(std::span<const Point> points, std::size_t buckets);

// Exponential moving average, corrected for its start (Kingma & Ba 2015), over the finite points.
std::vector<Point> smoothed(std::span<const Point> points, double smoothing);

// Round numbers (1, 2 or 5 times a power of ten) that cover [low, high]: about `count` of them, the
// first at or below low, the last at or above high. For low = high the range is widened first.
std::vector<double> ticks(double low, double high, int count);

// For a logarithmic axis: powers of ten and, where these are few, 2 and 5 times them, that cover
// [low, high]; 0 < low <= high.
std::vector<double> log_ticks(double low, double high);

// A tick's number without noise: "0.25", "1e-06", "12000". `step` is the distance of ticks.
std::string tick_text(double value, double step);

}  // namespace lmpo

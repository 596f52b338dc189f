// Line charts as SVG without scripts or fonts of its own.
//
// charts_svg writes a file that looks the same in a README, a browser or a paper. page_chart_svg
// writes one chart of a page; page/chart.js moves its lines when the reader zooms or hides a run.
// All functions are pure and may be called from any thread.
#pragma once

#include <cstddef>
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
  std::vector<Point> points;  // x rises; a point that is not finite leaves a gap
  // In [0, 1): the memory of an exponential moving average, which is drawn over the faded points.
  // 0 draws the points alone.
  double smoothing = 0;
  // Half the height of an error bar at each point, for example a standard error; empty: no bars.
  std::vector<double> errors = {};
  std::string colour = {};  // a CSS value; empty: the palette's next
  bool dashed = false;

  // For page_chart_svg alone.
  std::ptrdiff_t run = -1;  // the run it belongs to and hides with; -1: none
  std::size_t kind = 0;     // the button of the figure that shows and hides it
  bool hidden = false;      // until the reader asks for it
  bool dots = false;        // marks its points
};

struct Chart {
  std::string title;
  std::string x_label;
  std::vector<Series> series;
  bool log_x = false;  // a logarithmic x axis, which leaves out points that are not above 0
};

// CSS values of everything but the lines. A page may set its own ("var(--ink)").
struct ChartColours {
  std::string ink = "#24292f";
  std::string faint = "#6e7781";  // numbers and labels
  std::string grid = "#d8dee4";
  std::string ground = "#ffffff";
};

// Those of page/style.css, light or dark.
ChartColours page_colours();

// The charts in rows of `columns`. A chart without a finite point says so. A line with more points
// than pixels keeps the least and the greatest value at each pixel. Hidden series are left out.
std::string charts_svg(std::span<const Chart> charts, int columns = 2,
                       const ChartColours& colours = {});

// One chart without its title, in the page's colours: <svg class="chart">. A series is
//   <g class="line" data-run data-kind data-name> with the paths band, noise, main, dots, errors,
// and all but the coordinates of these paths is decided here.
std::string page_chart_svg(const Chart& chart);

// The outline of a histogram's bars, as points of a series. counts[i] values lie in
// [edges[i], edges[i + 1]); `edges` has one element more than `counts`.
std::vector<Point> outline(std::span<const std::int64_t> edges,
                           std::span<const std::int64_t> counts);

// The least and the greatest of each of `buckets` equal parts of the points, in their order: at
// most 2 * buckets points, and one more for each part with a gap (a point that is not finite).
std::vector<Point> thinned(std::span<const Point> points, std::size_t buckets);

// The exponential moving average of the finite points, corrected for its start (Kingma and Ba 2015,
// section 3): sum_i a^(n-i) y_i / sum_i a^(n-i) with a = smoothing.
std::vector<Point> smoothed(std::span<const Point> points, double smoothing);

// Round numbers, 1, 2 or 5 times a power of ten apart, that cover [low, high]: about `count` of
// them, the first at or below low, the last at or above high. low = high is widened first.
std::vector<double> ticks(double low, double high, int count);

// The ticks of a logarithmic axis: powers of ten that cover [low, high], and 2 and 5 times these
// where the range is short. 0 < low <= high.
std::vector<double> log_ticks(double low, double high);

// A tick as text: "0.25", "1e-06", "12000". `step` is the distance between ticks.
std::string tick_text(double value, double step);

}  // namespace lmpo

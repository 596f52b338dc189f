#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/utf8.h"
#include "report/colours.h"
#include "report/markup.h"

namespace lmpo {
namespace {

// Pixels of one chart and where its plot lies in it.
constexpr double kWidth = 460;
constexpr double kHeight = 270;
constexpr double kLeft = 62;
constexpr double kRight = 16;
constexpr double kTop = 56;
constexpr double kBottom = 42;
constexpr double kMargin = 12;  // around all charts

constexpr double kLegendRow = 16;

bool is_finite(const Point& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

struct Axis {
  std::vector<double> marks;
  double first_pixel;
  double last_pixel;
  bool log = false;

  double place(double value) const { return log ? std::log(value) : value; }
  double pixel(double value) const {
    const double begin = place(marks.front());
    const double share = (place(value) - begin) / (place(marks.back()) - begin);
    return first_pixel + share * (last_pixel - first_pixel);
  }
  std::string text(double mark) const {
    return log ? fmt::format("{:g}", mark) : tick_text(mark, marks[1] - marks[0]);
  }
};

// Where the entry of each series lies in the legend, as rows fill.
struct LegendPlace {
  double x;
  int row;
};

std::vector<LegendPlace> legend_places(const Chart& chart) {
  std::vector<LegendPlace> places;
  double x = kLeft;
  int row = 0;
  for (const Series& series : chart.series) {
    const double width = 21 + 6.3 * static_cast<double>(series.name.size()) + 16;
    if (x > kLeft && x + width > kWidth) {
      x = kLeft;
      ++row;
    }
    places.push_back({x, row});
    x += width;
  }
  return places;
}

// A legend of several rows makes a chart higher.
double height_of(const Chart& chart) {
  return kHeight + (chart.series.size() > 1 ? legend_places(chart).back().row * kLegendRow : 0);
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class ChartWriter {
 public:
  ChartWriter(const Chart& chart, const ChartColours& colours, std::string& svg)
      : chart_(chart), colours_(colours), svg_(svg), bottom_(height_of(chart) - kBottom) {
    const std::vector<LineColour> palette = line_colours(chart.series.size());
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      const std::string& own = chart.series[i].colour;
      line_colours_.push_back(own.empty() ? palette[i].light
                                          : escape_markup(printable(own, LineEnds::escape)));
    }
  }

  void write() {
    text(kLeft, 22, "start", 14, colours_.ink, chart_.title, "font-weight=\"600\"");
    Range x_range;
    Range y_range;
    for (const Series& series : chart_.series) {
      for (std::size_t i = 0; i < series.points.size(); ++i) {
        if (is_drawn(series.points[i])) {
          const double reach = error_of(series, i);
          x_range.add(series.points[i].x);
          y_range.add(series.points[i].y - reach);
          y_range.add(series.points[i].y + reach);
        }
      }
    }
    if (x_range.low > x_range.high) {
      text(kWidth / 2, kHeight / 2, "middle", 12, colours_.faint, "no finite values");
      return;
    }
    x_ = {chart_.log_x ? log_ticks(x_range.low, x_range.high) : ticks(x_range.low, x_range.high, 5),
          kLeft, kWidth - kRight, chart_.log_x};
    y_ = {ticks(y_range.low, y_range.high, 5), bottom_, kTop + height_of(chart_) - kHeight};
    grid();
    legend();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      series(chart_.series[i], line_colours_[i]);
    }
  }

 private:
  bool is_drawn(const Point& point) const {
    return is_finite(point) && (!chart_.log_x || point.x > 0);
  }

  static double error_of(const Series& series, std::size_t i) {
    return i < series.errors.size() && std::isfinite(series.errors[i]) ? std::abs(series.errors[i])
                                                                       : 0;
  }

  void grid() {
    for (const double mark : y_.marks) {
      const double y = y_.pixel(mark);
      line(kLeft, y, kWidth - kRight, y, colours_.grid);
      text(kLeft - 8, y + 4, "end", 11, colours_.faint, y_.text(mark));
    }
    for (const double mark : x_.marks) {
      const double x = x_.pixel(mark);
      line(x, bottom_, x, bottom_ + 4, colours_.faint);
      text(x, bottom_ + 17, "middle", 11, colours_.faint, x_.text(mark));
    }
    text((kLeft + kWidth - kRight) / 2, bottom_ + kBottom - 7, "middle", 11, colours_.faint,
         chart_.x_label);
  }

  void legend() {
    const std::vector<LegendPlace> places = legend_places(chart_);
    for (std::size_t i = 0; i < chart_.series.size() && chart_.series.size() > 1; ++i) {
      const double y = 38 + places[i].row * kLegendRow;
      svg_ += fmt::format(
          "<line x1=\"{:.1f}\" y1=\"{:g}\" x2=\"{:.1f}\" y2=\"{:g}\" stroke=\"{}\" "
          "stroke-width=\"3\"{}/>\n",
          places[i].x, y, places[i].x + 16, y, line_colours_[i], dashes(chart_.series[i]));
      text(places[i].x + 21, y + 4, "start", 11, colours_.ink, chart_.series[i].name);
    }
  }

  static const char* dashes(const Series& series) {
    return series.dashed ? " stroke-dasharray=\"6 4\"" : "";
  }

  void series(const Series& series, const std::string& colour) {
    const bool smooth = series.smoothing > 0 && series.points.size() > 2;
    path(series.points, colour,
         smooth ? "stroke-width=\"1\" stroke-opacity=\"0.3\""
                : fmt::format("stroke-width=\"2\"{}", dashes(series)));
    if (smooth) {
      path(smoothed(series.points, series.smoothing), colour,
           fmt::format("stroke-width=\"2\"{}", dashes(series)));
    }
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const Point& point = series.points[i];
      if (const double reach = error_of(series, i); reach > 0 && is_drawn(point)) {
        const double x = x_.pixel(point.x);
        line(x, y_.pixel(point.y - reach), x, y_.pixel(point.y + reach), colour);
      }
    }
  }

  // Runs of finite points as lines; a point with no neighbour as a dot.
  void path(std::span<const Point> all, const std::string& colour, const std::string& style) {
    const std::vector<Point> points = thinned(all, static_cast<std::size_t>(kWidth));
    std::string data;
    for (std::size_t begin = 0; begin < points.size();) {
      std::size_t end = begin;
      while (end < points.size() && is_drawn(points[end])) {
        ++end;
      }
      for (std::size_t i = begin; i < end && end - begin > 1; ++i) {
        data += fmt::format("{}{:.2f} {:.2f}", i == begin ? "M" : "L", x_.pixel(points[i].x),
                            y_.pixel(points[i].y));
      }
      if (end - begin == 1) {
        svg_ += fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"3\" fill=\"{}\"/>\n",
                            x_.pixel(points[begin].x), y_.pixel(points[begin].y), colour);
      }
      begin = end + 1;
    }
    if (!data.empty()) {
      svg_ +=
          fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-linejoin=\"round\" {}/>\n",
                      data, colour, style);
    }
  }

  void line(double x1, double y1, double x2, double y2, const std::string& colour) {
    svg_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1, y1,
        x2, y2, colour);
  }

  void text(double x, double y, const char* anchor, int size, const std::string& colour,
            std::string_view content, const char* more = "") {
    svg_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\" fill=\"{}\" "
        "{}>{}</text>\n",
        x, y, anchor, size, colour, more, escape_markup(printable(content, LineEnds::escape)));
  }

  const Chart& chart_;
  const ChartColours& colours_;
  std::string& svg_;
  double bottom_;  // of the plot
  std::vector<std::string> line_colours_;
  Axis x_;
  Axis y_;
};

}  // namespace

std::vector<Point> outline(std::span<const std::int64_t> edges,
                           std::span<const std::int64_t> counts) {
  std::vector<Point> points;
  const auto add = [&](std::int64_t x, std::int64_t y) {
    points.push_back({static_cast<double>(x), static_cast<double>(y)});
  };
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i == 0) {
      add(edges[0], 0);
    }
    add(edges[i], counts[i]);
    add(edges[i + 1], counts[i]);
  }
  if (!counts.empty()) {
    add(edges[counts.size()], 0);
  }
  return points;
}

std::string charts_svg(std::span<const Chart> charts, int columns, const ChartColours& colours) {
  const std::size_t across = std::max<std::size_t>(
      1, std::min(static_cast<std::size_t>(std::max(1, columns)), charts.size()));
  std::string body;
  double top = kMargin;
  for (std::size_t first = 0; first < charts.size(); first += across) {
    double highest = 0;
    for (std::size_t i = first; i < std::min(first + across, charts.size()); ++i) {
      body += fmt::format("<g transform=\"translate({} {})\">\n",
                          kMargin + static_cast<double>(i - first) * kWidth, top);
      ChartWriter(charts[i], colours, body).write();
      body += "</g>\n";
      highest = std::max(highest, height_of(charts[i]));
    }
    top += highest;
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" "
      "font-family=\"system-ui, sans-serif\">\n"
      "<rect width=\"{0}\" height=\"{1}\" rx=\"10\" fill=\"{2}\"/>\n{3}</svg>\n",
      static_cast<double>(across) * kWidth + 2 * kMargin, top + kMargin, colours.ground, body);
}

}  // namespace lmpo

#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

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

// Okabe and Ito's colours, which people with any colour vision can tell apart.
constexpr std::array<const char*, 6> kColours = {"#0072b2", "#d55e00", "#009e73",
                                                 "#cc79a7", "#e69f00", "#56b4e9"};

bool is_finite(const Point& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

struct Axis {
  std::vector<double> marks;
  double first_pixel;
  double last_pixel;

  double step() const { return marks[1] - marks[0]; }
  double pixel(double value) const {
    const double share = (value - marks.front()) / (marks.back() - marks.front());
    return first_pixel + share * (last_pixel - first_pixel);
  }
};

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
      : chart_(chart), colours_(colours), svg_(svg) {}

  void write() {
    text(kLeft, 22, "start", 14, colours_.ink, chart_.title, "font-weight=\"600\"");
    Range x_range;
    Range y_range;
    for (const Series& series : chart_.series) {
      for (const Point& point : series.points) {
        if (is_finite(point)) {
          x_range.add(point.x);
          y_range.add(point.y);
        }
      }
    }
    if (x_range.low > x_range.high) {
      text(kWidth / 2, kHeight / 2, "middle", 12, colours_.faint, "no finite values");
      return;
    }
    x_ = {ticks(x_range.low, x_range.high, 5), kLeft, kWidth - kRight};
    y_ = {ticks(y_range.low, y_range.high, 5), kHeight - kBottom, kTop};
    grid();
    legend();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      series(chart_.series[i], kColours[i % kColours.size()]);
    }
  }

 private:
  void grid() {
    for (const double mark : y_.marks) {
      const double y = y_.pixel(mark);
      line(kLeft, y, kWidth - kRight, y, colours_.grid);
      text(kLeft - 8, y + 4, "end", 11, colours_.faint, tick_text(mark, y_.step()));
    }
    for (const double mark : x_.marks) {
      const double x = x_.pixel(mark);
      line(x, kHeight - kBottom, x, kHeight - kBottom + 4, colours_.faint);
      text(x, kHeight - kBottom + 17, "middle", 11, colours_.faint, tick_text(mark, x_.step()));
    }
    text((kLeft + kWidth - kRight) / 2, kHeight - 7, "middle", 11, colours_.faint, chart_.x_label);
  }

  void legend() {
    double x = kLeft;
    for (std::size_t i = 0; i < chart_.series.size() && chart_.series.size() > 1; ++i) {
      svg_ += fmt::format(
          "<line x1=\"{:.1f}\" y1=\"38\" x2=\"{:.1f}\" y2=\"38\" stroke=\"{}\" "
          "stroke-width=\"3\"/>\n",
          x, x + 16, kColours[i % kColours.size()]);
      text(x + 21, 42, "start", 11, colours_.ink, chart_.series[i].name);
      x += 21 + 6.3 * static_cast<double>(chart_.series[i].name.size()) + 16;
    }
  }

  void series(const Series& series, const char* colour) {
    const bool smooth = series.smoothing > 0 && series.points.size() > 2;
    path(series.points, colour,
         smooth ? "stroke-width=\"1\" stroke-opacity=\"0.3\"" : "stroke-width=\"2\"");
    if (smooth) {
      path(smoothed(series.points, series.smoothing), colour, "stroke-width=\"2\"");
    }
  }

  // Runs of finite points as lines; a point with no neighbour as a dot.
  void path(std::span<const Point> points, const char* colour, const char* style) {
    std::string data;
    for (std::size_t begin = 0; begin < points.size();) {
      std::size_t end = begin;
      while (end < points.size() && is_finite(points[end])) {
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
        x, y, anchor, size, colour, more, escape_markup(content));
  }

  const Chart& chart_;
  const ChartColours& colours_;
  std::string& svg_;
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
  const int count = static_cast<int>(charts.size());
  const int across = std::max(1, std::min(columns, count));
  const int down = (count + across - 1) / across;
  const double width = across * kWidth + 2 * kMargin;
  const double height = down * kHeight + 2 * kMargin;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" "
      "font-family=\"system-ui, sans-serif\">\n"
      "<rect width=\"{0}\" height=\"{1}\" rx=\"10\" fill=\"{2}\"/>\n",
      width, height, colours.ground);
  for (int i = 0; i < count; ++i) {
    svg += fmt::format("<g transform=\"translate({} {})\">\n", kMargin + i % across * kWidth,
                       kMargin + i / across * kHeight);
    ChartWriter(charts[static_cast<std::size_t>(i)], colours, svg).write();
    svg += "</g>\n";
  }
  return svg + "</svg>\n";
}

}  // namespace lmpo

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
constexpr double kTitle = 26;  // of kTop

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

// Where an entry of the legend lies.
struct LegendPlace {
  std::size_t series;
  double x;
  int row;
};

std::vector<LegendPlace> legend_places(const Chart& chart) {
  std::vector<LegendPlace> places;
  double x = kLeft;
  int row = 0;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].hidden) {
      continue;
    }
    const double width = 21 + 6.3 * static_cast<double>(chart.series[i].name.size()) + 16;
    if (x > kLeft && x + width > kWidth) {
      x = kLeft;
      ++row;
    }
    places.push_back({i, x, row});
    x += width;
  }
  return places;
}

// A legend of several rows makes a chart higher.
double height_of(const Chart& chart) {
  const std::vector<LegendPlace> places = legend_places(chart);
  return kHeight + (places.empty() ? 0 : places.back().row * kLegendRow);
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
  ChartWriter(const Chart& chart, const ChartColours& colours, bool for_page, std::string& svg)
      : chart_(chart),
        colours_(colours),
        for_page_(for_page),
        svg_(svg),
        bottom_(height_of(chart) - kBottom) {
    const std::vector<LineColour> palette = line_colours(chart.series.size());
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      const std::string& own = chart.series[i].colour;
      line_colours_.push_back(own.empty() ? palette[i].light : shown(own));
    }
  }

  void write() {
    if (!for_page_) {
      text(kLeft, 22, "start", 14, colours_.ink, chart_.title, "font-weight=\"600\"");
    }
    svg_ += "<g class=\"grid\">\n";
    const bool drawable = set_axes();
    if (drawable) {
      grid();
    } else {
      text(kWidth / 2, kHeight / 2, "middle", 12, colours_.faint, "no finite values");
    }
    svg_ += "</g>\n<g class=\"legend\">\n";
    legend(drawable);
    svg_ += "</g>\n<svg class=\"lines\" overflow=\"visible\">\n";
    for (std::size_t i = 0; i < chart_.series.size(); ++i) {
      const Series& each = chart_.series[i];
      if (for_page_ || (drawable && !each.hidden)) {
        line_of(each, line_colours_[i], drawable && !each.hidden);
      }
    }
    svg_ += "</svg>\n";
  }

 private:
  // The coordinates of a line's paths.
  struct Paths {
    std::string noise;
    std::string main;
    std::string dots;
    std::string errors;
  };

  static std::string shown(std::string_view text) {
    return escape_markup(printable(text, LineEnds::escape));
  }

  bool is_drawn(const Point& point) const {
    return is_finite(point) && (!chart_.log_x || point.x > 0);
  }

  static double error_of(const Series& series, std::size_t i) {
    return i < series.errors.size() && std::isfinite(series.errors[i]) ? std::abs(series.errors[i])
                                                                       : 0;
  }

  // False where there is nothing to draw.
  bool set_axes() {
    Range x_range;
    Range y_range;
    for (const Series& series : chart_.series) {
      for (std::size_t i = 0; i < series.points.size() && !series.hidden; ++i) {
        if (is_drawn(series.points[i])) {
          const double reach = error_of(series, i);
          x_range.add(series.points[i].x);
          y_range.add(series.points[i].y - reach);
          y_range.add(series.points[i].y + reach);
        }
      }
    }
    if (x_range.low > x_range.high) {
      return false;
    }
    x_ = {chart_.log_x ? log_ticks(x_range.low, x_range.high) : ticks(x_range.low, x_range.high, 5),
          kLeft, kWidth - kRight, chart_.log_x};
    y_ = {ticks(y_range.low, y_range.high, 5), bottom_, kTop + height_of(chart_) - kHeight};
    return true;
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

  void legend(bool drawable) {
    const std::vector<LegendPlace> places = legend_places(chart_);
    for (std::size_t i = 0; i < places.size() && places.size() > 1 && drawable; ++i) {
      const double y = 38 + places[i].row * kLegendRow;
      const Series& series = chart_.series[places[i].series];
      svg_ += fmt::format(
          "<line x1=\"{:.1f}\" y1=\"{:g}\" x2=\"{:.1f}\" y2=\"{:g}\" stroke=\"{}\" "
          "stroke-width=\"3\"{}/>\n",
          places[i].x, y, places[i].x + 16, y, line_colours_[places[i].series], dashes(series));
      text(places[i].x + 21, y + 4, "start", 11, colours_.ink, series.name);
    }
  }

  static const char* dashes(const Series& series) {
    return series.dashed ? " stroke-dasharray=\"6 4\"" : "";
  }

  void line_of(const Series& series, const std::string& colour, bool drawn) {
    const Paths paths = drawn ? paths_of(series) : Paths{};
    const std::string data = fmt::format(" data-run=\"{}\" data-kind=\"{}\" data-name=\"{}\"",
                                         series.run, series.kind, shown(series.name));
    svg_ += fmt::format(
        "<g class=\"line{}{}\"{} stroke=\"{}\" fill=\"none\" stroke-linejoin=\"round\">\n",
        series.hidden ? " off" : "", series.dots ? " dotted" : "", for_page_ ? data : "", colour);
    path("band", "", "fill=\"" + colour + "\" fill-opacity=\"0.13\" stroke=\"none\"");
    path("noise", paths.noise, "stroke-opacity=\"0.3\"");
    path("main", paths.main, std::string("stroke-width=\"2\"") + dashes(series));
    path("dots", paths.dots, "stroke-width=\"6\" stroke-linecap=\"round\"");
    path("errors", paths.errors, "");
    svg_ += "</g>\n";
  }

  // A page has all parts, for its script.
  void path(const char* part, const std::string& data, const std::string& style) {
    if (for_page_ || !data.empty()) {
      svg_ += fmt::format("<path class=\"{}\" d=\"{}\" {}/>\n", part, data, style);
    }
  }

  Paths paths_of(const Series& series) const {
    Paths paths;
    if (series.smoothing > 0 && series.points.size() > 2) {
      trace(series.points, paths.noise, paths.dots);
      trace(smoothed(series.points, series.smoothing), paths.main, paths.dots);
    } else {
      trace(series.points, paths.main, paths.dots);
    }
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const Point& point = series.points[i];
      if (const double reach = error_of(series, i); reach > 0 && is_drawn(point)) {
        paths.errors += fmt::format("M{:.1f} {:.1f}V{:.1f}", x_.pixel(point.x),
                                    y_.pixel(point.y - reach), y_.pixel(point.y + reach));
      }
    }
    return paths;
  }

  // Finite points that follow each other as a line; a point without a neighbour as a dot.
  void trace(std::span<const Point> all, std::string& lines, std::string& dots) const {
    const std::vector<Point> points = thinned(all, static_cast<std::size_t>(kWidth));
    for (std::size_t begin = 0; begin < points.size();) {
      std::size_t end = begin;
      while (end < points.size() && is_drawn(points[end])) {
        ++end;
      }
      for (std::size_t i = begin; i < end && end - begin > 1; ++i) {
        lines += fmt::format("{}{:.2f} {:.2f}", i == begin ? "M" : "L", x_.pixel(points[i].x),
                             y_.pixel(points[i].y));
      }
      if (end - begin == 1) {
        dots +=
            fmt::format("M{:.2f} {:.2f}h0", x_.pixel(points[begin].x), y_.pixel(points[begin].y));
      }
      begin = end + 1;
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
        x, y, anchor, size, colour, more, shown(content));
  }

  const Chart& chart_;
  const ChartColours& colours_;
  bool for_page_;
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
      ChartWriter(charts[i], colours, false, body).write();
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

std::string page_chart_svg(const Chart& chart) {
  static const ChartColours colours = page_colours();
  std::string svg = fmt::format("<svg class=\"chart\" viewBox=\"0 {} {} {}\">\n", kTitle, kWidth,
                                height_of(chart) - kTitle);
  ChartWriter(chart, colours, true, svg).write();
  return svg + "</svg>\n";
}

ChartColours page_colours() {
  return {"var(--ink)", "var(--faint)", "var(--grid)", "var(--ground)"};
}

}  // namespace lmpo

#include "report/page_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/colours.h"
#include "report/html.h"

namespace lmpo {
namespace {

constexpr std::size_t kBuckets = 120;  // of a line as it is drawn before the script has run
constexpr std::size_t kMostDots = 40;  // of a line whose points are marked

// Shows and hides the lines of one kind.
std::string kind_button(std::size_t kind, const std::string& name, const std::string& colour,
                        bool dashed, bool shown) {
  return fmt::format(
      "<button type=\"button\" class=\"chip\" data-kind=\"{}\" aria-pressed=\"{}\"><svg "
      "width=\"20\" height=\"8\" aria-hidden=\"true\"><path d=\"M0 4H20\" stroke-width=\"2\" "
      "stroke=\"{}\"{}/></svg>{}</button>",
      kind, shown, shown_text(colour), dashed ? " stroke-dasharray=\"5 3\"" : "", shown_text(name));
}

std::string kind_buttons(const ChartPlan& plan) {
  std::string html;
  for (std::size_t kind = 0; kind < plan.curves.size() && plan.curves.size() > 1; ++kind) {
    const Curve& curve = plan.curves[kind];
    html += kind_button(kind, curve.kind, "currentColor", curve.dashed, curve.shown);
  }
  return html;
}

// Where each series is a run, the list of runs shows and hides them.
std::string kind_buttons(const Chart& chart) {
  std::string html;
  const bool of_runs =
      std::ranges::none_of(chart.series, [](const Series& s) { return s.run < 0; });
  for (const Series& series : chart.series) {
    if (!of_runs && chart.series.size() > 1) {
      html += kind_button(series.kind, series.name, series.colour, series.dashed, true);
    }
  }
  return html;
}

// The outline of a histogram goes straight up.
bool x_rises(const Series& series) {
  return std::ranges::adjacent_find(series.points, [](const Point& a, const Point& b) {
           return !(a.x < b.x);
         }) == series.points.end();
}

std::string grid(const std::string& figures) {
  return figures.empty() ? "" : "<div class=\"charts\">\n" + figures + "</div>\n";
}

}  // namespace

std::string PageFigures::figure(const Chart& drawn, const std::string& buttons,
                                const std::string& note) {
  const std::string title = shown_text(drawn.title);
  return fmt::format(
      "<figure data-chart=\"{}\"><figcaption><h3>{}</h3>{}"
      "<button type=\"button\" class=\"unzoom\" hidden>whole range</button>"
      "<button type=\"button\" class=\"icon\" title=\"Larger or smaller\" aria-label=\"Larger or "
      "smaller\">\u2922</button></figcaption>\n"
      "<div class=\"plot\" role=\"img\" aria-label=\"Chart of {} with {} line{}. Arrow keys read "
      "values.\">{}</div>\n{}</figure>\n",
      charts_.size(), title, buttons, title, drawn.series.size(),
      drawn.series.size() == 1 ? "" : "s", page_chart_svg(drawn),
      note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", shown_text(note)));
}

Chart PageFigures::in_page_colours(const Chart& chart) const {
  Chart drawn = chart;
  const std::vector<LineColour> palette = line_colours(chart.series.size());
  for (std::size_t i = 0; i < drawn.series.size(); ++i) {
    Series& series = drawn.series[i];
    const auto run = std::ranges::find(runs_, series.name, &Run::name);
    series.run = run == runs_.end() ? -1 : run - runs_.begin();
    series.kind = i;
    if (series.colour.empty()) {
      series.colour = series.run >= 0
                          ? run_colour(static_cast<std::size_t>(series.run))
                          : fmt::format("light-dark({}, {})", palette[i].light, palette[i].dark);
    }
    series.dots = x_rises(series) && series.points.size() <= kMostDots;
    series.points = series.errors.empty() ? thinned(series.points, kBuckets) : series.points;
  }
  return drawn;
}

std::string PageFigures::add(std::span<const Chart> charts) {
  std::string html;
  for (const Chart& chart : charts) {
    const Chart drawn = in_page_colours(chart);
    html += figure(drawn, kind_buttons(drawn), "");
    charts_.emplace_back(chart);
  }
  return grid(html);
}

std::string PageFigures::add(std::span<const ChartPlan> plans) {
  std::string html;
  for (const ChartPlan& plan : plans) {
    Chart chart = drawn(plan, runs_, kBuckets);
    for (Series& series : chart.series) {
      series.colour = run_colour(static_cast<std::size_t>(series.run));
      series.dashed = plan.curves[series.kind].dashed;
    }
    html += figure(chart, kind_buttons(plan), plan.note);
    charts_.emplace_back(plan);
  }
  return grid(html);
}

}  // namespace lmpo

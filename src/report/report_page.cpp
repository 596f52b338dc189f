#include "report/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/colours.h"
#include "report/html.h"
#include "report/length_charts.h"
#include "report/page_data.h"
#include "report/report_tables.h"
#include "report/run_charts.h"

namespace lmpo {
namespace {

constexpr std::size_t kDrawnBuckets = 120;  // of charts for readers without scripts
constexpr std::size_t kFileBuckets = 500;   // of charts in files
constexpr std::size_t kDrawnPrompts = 5;
constexpr std::size_t kDrawnAnswers = 40;

class PageWriter {
 public:
  explicit PageWriter(const Report& report)
      : report_(report),
        plans_(plan_charts(report.runs)),
        colours_(line_colours(report.runs.size())) {}

  std::string write() {
    std::string body;
    for (const ReportSection& section : report_.sections) {
      body += own_section(section);
    }
    if (!report_.runs.empty()) {
      body += part("Runs", summary_table(report_.runs));
      body += part(report_.runs.size() > 1 ? "Settings that differ" : "Settings",
                   settings_part(report_.runs));
      body += part("Curves", curves());
    }
    body += part("Lengths of answers", lengths());
    body += part("Answers side by side", answers());
    body += part("Data and notices", data_part(report_.runs));
    return page_begin(report_.title, kReportStyle + run_colours()) + top() + body +
           "</main></div>\n<script type=\"application/json\" id=\"data\">" +
           page_data(report_, plans_, charts_) + "</script>\n<script>\n" + kReportScript +
           "</script>\n</body></html>\n";
  }

 private:
  std::string top() const {
    const std::string subtitle =
        report_.subtitle.empty()
            ? ""
            : fmt::format("<p class=\"note\">{}</p>", shown_text(report_.subtitle));
    return fmt::format(
        "<body class=\"report\">\n<header><div><h1>{}</h1>{}</div><div "
        "id=\"theme\"></div></header>\n"
        "<div id=\"controls\" hidden></div>\n<div class=\"{}\">\n"
        "<aside id=\"legend\" hidden></aside>\n<main>\n",
        shown_text(report_.title), subtitle, report_.runs.empty() ? "page" : "page with-runs");
  }

  // Colours of runs as variables, for tables, drawn charts and the script alike.
  std::string run_colours() const {
    std::string style = ":root {";
    for (std::size_t i = 0; i < colours_.size(); ++i) {
      style +=
          fmt::format(" --run-{}: light-dark({}, {});", i, colours_[i].light, colours_[i].dark);
    }
    return style + " }\n";
  }

  // Nothing where there is nothing in it.
  static std::string part(std::string_view title, const std::string& html) {
    return html.empty()
               ? ""
               : fmt::format("<section><h2>{}</h2>\n{}</section>\n", shown_text(title), html);
  }

  std::string own_section(const ReportSection& section) {
    std::string html = html_paragraphs(section.text);
    for (const ReportTable& table : section.tables) {
      html += table.title.empty() ? "" : fmt::format("<h3>{}</h3>\n", shown_text(table.title));
      html += "<div class=\"sortable\">" + html_table(table.head, table.rows) + "</div>\n";
    }
    html += figures(section.charts);
    return part(section.title, html);
  }

  std::string drawn_svg(const Chart& chart) const {
    std::string svg =
        charts_svg({&chart, 1}, 1, {"var(--ink)", "var(--faint)", "var(--grid)", "var(--ground)"});
    for (std::size_t i = 0; i < colours_.size() && colours_.size() > 1; ++i) {
      const std::string fixed = '"' + colours_[i].light + '"';
      const std::string variable = fmt::format("\"var(--run-{})\"", i);
      for (auto at = svg.find(fixed); at != std::string::npos; at = svg.find(fixed, at)) {
        svg.replace(at, fixed.size(), variable);
      }
    }
    return svg;
  }

  // The title is the figure's.
  std::string figure(const std::string& place, const std::string& title, const std::string& note,
                     Chart drawn_chart) const {
    drawn_chart.title = "";
    return fmt::format(
        "<figure {}><figcaption><h3>{}</h3></figcaption>\n<noscript>{}</noscript>\n{}</figure>\n",
        place, shown_text(title), drawn_svg(drawn_chart),
        note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", shown_text(note)));
  }

  // Charts that are drawn as they are.
  std::string figures(std::span<const Chart> charts) {
    std::string html;
    for (const Chart& chart : charts) {
      Chart small = chart;
      for (Series& series : small.series) {
        series.points =
            series.errors.empty() ? thinned(series.points, kDrawnBuckets) : series.points;
      }
      html += figure(fmt::format("data-chart=\"{}\"", charts_.size()), chart.title, "", small);
      charts_.push_back(chart);
    }
    return html.empty() ? "" : "<div class=\"charts\">\n" + html + "</div>\n";
  }

  std::string curves() const {
    std::string usual;
    std::string others;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      (plans_[i].usual ? usual : others) +=
          figure(fmt::format("data-plan=\"{}\"", i), plans_[i].title, plans_[i].note,
                 drawn(plans_[i], report_.runs, kDrawnBuckets));
    }
    std::string html = usual.empty() ? "" : "<div class=\"charts\">\n" + usual + "</div>\n";
    if (!others.empty()) {
      html += "<details class=\"more\"><summary>More metrics</summary><div class=\"charts\">\n" +
              others + "</div></details>\n";
    }
    return html.empty() && !report_.runs.empty()
               ? "<p class=\"note\">Nothing has been logged yet.</p>\n"
               : html;
  }

  std::string lengths() {
    const std::string left_out = left_out_of_lengths(report_);
    return (left_out.empty() ? ""
                             : fmt::format("<p class=\"note\">{}</p>\n", shown_text(left_out))) +
           figures(length_charts(report_));
  }

  // The script puts the prompts' answers beside each other; without it, the last ones of each.
  std::string answers() const {
    std::string list;
    const auto add = [&](const std::string& source, const std::vector<Answer>& all) {
      std::set<std::string_view> prompts;
      std::size_t shown = 0;
      for (const Answer& answer : all) {
        if (answer.step != all.back().step || shown >= kDrawnAnswers) {
          continue;
        }
        prompts.insert(answer.prompt);
        if (prompts.size() > kDrawnPrompts) {
          break;
        }
        list += fmt::format("<dt>{}{}: {}</dt><dd>{}</dd>\n", shown_text(source),
                            answer.step < 0 ? "" : fmt::format(", step {}", answer.step),
                            shown_text(answer.prompt, LineEnds::keep),
                            shown_text(answer.response, LineEnds::keep));
        ++shown;
      }
    };
    for (const Run& run : report_.runs) {
      add(run.name, run.answers);
    }
    for (const AnswerSet& set : report_.answers) {
      add(set.name, set.answers);
    }
    return list.empty() ? ""
                        : "<div id=\"answers\"></div>\n<noscript><dl class=\"answers\">" + list +
                              "</dl></noscript>\n";
  }

  const Report& report_;
  std::vector<ChartPlan> plans_;
  std::vector<LineColour> colours_;
  std::vector<Chart> charts_;  // of the page so far
};

}  // namespace

std::string report_page(const Report& report) {
  return PageWriter(report).write();
}

std::vector<NamedChart> report_charts(const Report& report) {
  std::vector<NamedChart> charts;
  std::set<std::string> taken;
  const auto add = [&](const std::string& wished, Chart chart) {
    std::string name = wished;
    for (int number = 2; !taken.insert(name).second; ++number) {
      name = fmt::format("{}-{}", wished, number);
    }
    charts.push_back({name, std::move(chart)});
  };
  for (const ReportSection& section : report.sections) {
    for (const Chart& chart : section.charts) {
      add("own", chart);
    }
  }
  for (const ChartPlan& plan : plan_charts(report.runs)) {
    add(plan.id, drawn(plan, report.runs, kFileBuckets));
  }
  for (Chart& chart : length_charts(report)) {
    add("answer-lengths", std::move(chart));
  }
  return charts;
}

}  // namespace lmpo

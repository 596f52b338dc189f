#include "report/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "report/colours.h"
#include "report/html.h"
#include "report/length_charts.h"
#include "report/page_data.h"
#include "report/page_figures.h"
#include "report/report_tables.h"
#include "report/run_charts.h"

namespace lmpo {
namespace {

constexpr std::size_t kFileBuckets = 500;  // of a line in a file
// Answers for readers without scripts.
constexpr std::size_t kDrawnPrompts = 5;
constexpr std::size_t kDrawnAnswers = 40;

// What the script makes a list of runs to choose from.
std::string run_list(std::span<const Run> runs) {
  if (runs.empty()) {
    return "";
  }
  std::string items;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string run = shown_text(runs[i].name);
    items += fmt::format(
        "<li data-run=\"{0}\"><label><input type=\"checkbox\" value=\"{0}\" checked/><i "
        "class=\"swatch\" style=\"background:{1}\"></i><span class=\"name\" "
        "title=\"{2}\">{2}</span>",
        i, run_colour(i), run);
    if (runs[i].state != RunState::done) {
      items += fmt::format("<span class=\"state {0}\">{0}</span>", name(runs[i].state));
    }
    items += "</label>";
    if (runs.size() > 1) {
      items += fmt::format(
          "<button type=\"button\" class=\"only\" title=\"Show {0} alone\" aria-label=\"Show {0} "
          "alone\">only</button>",
          run);
    }
    items += "</li>\n";
  }
  return "<details><summary></summary>" + std::string(runs.size() > 1 ? kRunTools : "") + "<ul>\n" +
         items + "</ul></details>";
}

class PageWriter {
 public:
  explicit PageWriter(const Report& report) : report_(report), figures_(report.runs) {}

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
           page_data(report_, figures_.charts()) + "</script>\n<script>\n" + kReportScript +
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
        "{}<div class=\"{}\">\n<aside id=\"legend\" hidden>{}</aside>\n<main>\n",
        shown_text(report_.title), subtitle, kReportControls,
        report_.runs.empty() ? "page" : "page with-runs", run_list(report_.runs));
  }

  // The variables of run_colour.
  std::string run_colours() const {
    std::string style = ":root {";
    const std::vector<LineColour> colours = line_colours(report_.runs.size());
    for (std::size_t i = 0; i < colours.size(); ++i) {
      style += fmt::format(" --run-{}: light-dark({}, {});", i, colours[i].light, colours[i].dark);
    }
    return style + " }\n";
  }

  // A section; nothing if it is empty.
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
    html += figures_.add(section.charts);
    return part(section.title, html);
  }

  std::string curves() {
    const std::vector<ChartPlan> plans = plan_charts(report_.runs);
    const auto others = std::ranges::find(plans, false, &ChartPlan::usual);
    const std::string html = figures_.add(std::span(plans.begin(), others));
    const std::string more = figures_.add(std::span(others, plans.end()));
    return plans.empty()  ? "<p class=\"note\">Nothing has been logged yet.</p>\n"
           : more.empty() ? html
                          : html + "<details class=\"more\"><summary>More metrics</summary>" +
                                more + "</details>\n";
  }

  std::string lengths() {
    const std::string left_out = left_out_of_lengths(report_);
    return (left_out.empty() ? ""
                             : fmt::format("<p class=\"note\">{}</p>\n", shown_text(left_out))) +
           figures_.add(length_charts(report_));
  }

  // The script shows answers to one prompt side by side. Without it the last ones are listed.
  std::string answers() const {
    std::string list;
    for (const auto& [source, run, all] : answer_sources(report_)) {
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
    }
    return list.empty() ? ""
                        : "<div id=\"answers\"></div>\n<noscript><dl class=\"answers\">" + list +
                              "</dl></noscript>\n";
  }

  const Report& report_;
  PageFigures figures_;  // of the page so far
};

}  // namespace

std::string report_page(const Report& report) {
  return PageWriter(report).write();
}

std::vector<ReportAnswers> answer_sources(const Report& report) {
  std::vector<ReportAnswers> all;
  for (const Run& run : report.runs) {
    all.push_back({run.name, std::ssize(all), run.answers});
  }
  for (const AnswerSet& set : report.answers) {
    all.push_back({set.name, -1, set.answers});
  }
  return all;
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

std::size_t write_charts(const fs::path& folder, const Report& report) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (!fs::is_directory(folder)) {
    machine_error("{}: cannot create the folder: {}", folder.string(), error.message());
  }
  const std::vector<NamedChart> charts = report_charts(report);
  for (const auto& [name, chart] : charts) {
    write_file_atomically(folder / (name + ".svg"), charts_svg({&chart, 1}));
  }
  return charts.size();
}

}  // namespace lmpo

#include "report/report_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "base/readable.h"
#include "report/colours.h"
#include "report/html.h"
#include "report/run_summary.h"

namespace lmpo {
namespace {

constexpr std::size_t kFewRuns = 6;  // are columns of the settings' table; more are its rows
constexpr const char* kNothing = "\u2013";

struct Cell {
  std::string html;  // empty: nothing is known
  double value = std::nan("");
};

struct Column {
  std::string title;
  std::function<Cell(const Run&)> cell;
};

// A number above 0; any other is unknown. `below`, where there is any, stands below it in small.
Cell number_cell(double value, const std::string& text, const std::string& below = "") {
  if (below.empty()) {
    return value > 0 ? Cell{shown_text(text), value} : Cell{};
  }
  return {fmt::format("{} <small>{}</small>", value > 0 ? shown_text(text) : kNothing,
                      shown_text(below)),
          value > 0 ? value : std::nan("")};
}

Cell last_cell(const Run& run, const char* metric) {
  const auto end = metric_end(run, metric);
  return end ? Cell{readable_number(end->last), end->last} : Cell{};
}

Cell best_cell(const Run& run, const char* metric) {
  const auto end = metric_end(run, metric);
  return end ? Cell{fmt::format("{} <small>at {:.0f}</small>", readable_number(end->best),
                                end->best_step),
                    end->best}
             : Cell{};
}

Cell state_cell(const Run& run) {
  std::string html = fmt::format("<span class=\"state {0}\">{0}</span>", name(run.state));
  for (const NonFinite& metric : run.not_finite) {
    html += fmt::format(" <span class=\"state failed\">NaN at {:.0f}</span>", metric.first_step);
    break;
  }
  return {html, static_cast<double>(run.state)};
}

Cell steps_cell(const Run& run) {
  std::string html = fmt::format("{:.0f}", run.step);
  if (run.total_steps > run.step) {
    html += fmt::format(" <small>of {:.0f}</small>", run.total_steps);
  }
  if (run.epoch > 0) {
    html += fmt::format(" <small>{:.3g} epoch{}</small>", run.epoch, run.epoch == 1 ? "" : "s");
  }
  return {html, run.step};
}

Cell time_cell(const Run& run) {
  return number_cell(run.seconds, readable_duration(run.seconds),
                     run.tokens > 0 ? grouped(run.tokens) + " tokens" : "");
}

Cell speed_cell(const Run& run) {
  return number_cell(
      run.tokens_per_second, grouped(run.tokens_per_second),
      run.pairs_per_second > 0 ? readable_number(run.pairs_per_second) + " pairs/s" : "");
}

std::vector<Column> columns() {
  const auto last = [](const char* title, const char* metric) {
    return Column{title, [metric](const Run& run) { return last_cell(run, metric); }};
  };
  const auto best = [](const char* title, const char* metric) {
    return Column{title, [metric](const Run& run) { return best_cell(run, metric); }};
  };
  return {{"state", state_cell},
          {"steps", steps_cell},
          last("loss", "loss"),
          last("eval loss", "eval_loss"),
          best("best", "eval_loss"),
          last("accuracy", "rewards/accuracies"),
          last("eval accuracy", "eval_rewards/accuracies"),
          best("best", "eval_rewards/accuracies"),
          last("eval margin", "eval_rewards/margins"),
          last("eval token accuracy", "eval_mean_token_accuracy"),
          {"time", time_cell},
          {"tokens/s", speed_cell},
          {"peak memory", [](const Run& run) {
             return number_cell(run.memory_peak,
                                readable_bytes(static_cast<std::size_t>(run.memory_peak)));
           }}};
}

const std::string& option_of(const Run& run, const std::string& option) {
  static const std::string nothing = kNothing;
  const auto found = run.options.find(option);
  return found == run.options.end() ? nothing : found->second;
}

struct Settings {
  std::vector<std::string> different;
  std::vector<std::string> same;
};

Settings compare_settings(std::span<const Run> runs) {
  std::set<std::string> all;
  for (const Run& run : runs) {
    for (const auto& [option, value] : run.options) {
      all.insert(option);
    }
  }
  Settings settings;
  for (const std::string& option : all) {
    const bool same = std::ranges::all_of(runs, [&](const Run& run) {
      // A folder of another program has no options that could differ.
      return run.options.empty() || option_of(run, option) == option_of(runs[0], option);
    });
    // Each run has a folder of its own.
    if (same || option != "output_dir") {
      (same ? settings.same : settings.different).push_back(option);
    }
  }
  return settings;
}

std::string settings_table(std::span<const Run> runs, const std::vector<std::string>& options) {
  std::string html = "<div class=\"scroll\"><table class=\"texts\"><thead><tr>";
  if (runs.size() <= kFewRuns) {
    html += "<th scope=\"col\">setting</th>";
    for (std::size_t i = 0; i < runs.size(); ++i) {
      html += fmt::format("<th scope=\"col\">{}</th>", run_label(runs[i], i));
    }
    html += "</tr></thead><tbody>";
    for (const std::string& option : options) {
      html += fmt::format("<tr><th scope=\"row\"><code>{}</code></th>", shown_text(option));
      for (const Run& run : runs) {
        html += fmt::format("<td>{}</td>", shown_text(option_of(run, option)));
      }
      html += "</tr>\n";
    }
  } else {
    html += "<th scope=\"col\">run</th>";
    for (const std::string& option : options) {
      html += fmt::format("<th scope=\"col\"><code>{}</code></th>", shown_text(option));
    }
    html += "</tr></thead><tbody>";
    for (std::size_t i = 0; i < runs.size(); ++i) {
      html +=
          fmt::format("<tr data-run=\"{}\"><th scope=\"row\">{}</th>", i, run_label(runs[i], i));
      for (const std::string& option : options) {
        html += fmt::format("<td>{}</td>", shown_text(option_of(runs[i], option)));
      }
      html += "</tr>\n";
    }
  }
  return html + "</tbody></table></div>\n";
}

// What several runs have in common is said once, of all of them.
class SharedLines {
 public:
  void add(std::size_t run, std::string html) {
    const auto [found, is_new] = places_.try_emplace(html, lines_.size());
    if (is_new) {
      lines_.push_back({std::move(html), {}});
    }
    lines_[found->second].runs.push_back(run);
  }

  // `begin` and `end` go around each line.
  std::string html(std::span<const Run> runs, std::string_view begin, std::string_view middle,
                   std::string_view end) const {
    std::string html;
    for (const auto& [line, places] : lines_) {
      std::string labels;
      for (std::size_t i = 0; i < places.size() && places.size() <= kFewRuns; ++i) {
        labels += (i > 0 ? " " : "") + run_label(runs[places[i]], places[i]);
      }
      if (labels.empty()) {
        labels = places.size() == runs.size() ? fmt::format("all {} runs", runs.size())
                                              : fmt::format("{} of the runs", places.size());
      }
      html += fmt::format("{}{}{}{}{}\n", begin, labels, middle, line, end);
    }
    return html;
  }

 private:
  struct Line {
    std::string html;
    std::vector<std::size_t> runs;
  };
  std::vector<Line> lines_;
  std::map<std::string, std::size_t> places_;
};

std::string row_counts(const char* data, const RowCounts& rows) {
  std::string dropped;
  for (const auto& [reason, count] : rows.dropped) {
    dropped += fmt::format("{}{}: {}", dropped.empty() ? "" : ", ", shown_text(reason), count);
  }
  return fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>", data, rows.rows,
                     rows.used, rows.truncated, dropped.empty() ? kNothing : dropped);
}

}  // namespace

std::string run_label(const Run& run, std::size_t place) {
  return fmt::format("<span class=\"run\"><i style=\"background:{}\"></i>{}</span>",
                     run_colour(place), shown_text(run.name));
}

std::string summary_table(std::span<const Run> runs) {
  std::string head = "<th scope=\"col\">run</th>";
  std::vector<std::string> rows(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    rows[i] =
        fmt::format("<tr data-run=\"{}\"><th scope=\"row\">{}</th>", i, run_label(runs[i], i));
  }
  for (const Column& column : columns()) {
    std::vector<Cell> cells;
    for (const Run& run : runs) {
      cells.push_back(column.cell(run));
    }
    if (std::ranges::all_of(cells, [](const Cell& c) { return c.html.empty(); })) {
      continue;
    }
    head += fmt::format("<th scope=\"col\">{}</th>", column.title);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::string value =
          std::isnan(cells[i].value) ? "" : fmt::format(" data-value=\"{:.10g}\"", cells[i].value);
      rows[i] +=
          fmt::format("<td{}>{}</td>", value, cells[i].html.empty() ? kNothing : cells[i].html);
    }
  }
  std::string html = "<div class=\"scroll\"><table class=\"sortable summary\"><thead><tr>" + head +
                     "</tr></thead>\n<tbody>";
  for (const std::string& row : rows) {
    html += row + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string settings_part(std::span<const Run> runs) {
  const Settings settings = compare_settings(runs);
  std::string html;
  if (!settings.different.empty()) {
    html += settings_table(runs, settings.different);
  } else if (runs.size() > 1) {
    html += settings.same.empty() ? "<p class=\"note\">No run recorded its settings.</p>\n"
                                  : "<p class=\"note\">No setting differs.</p>\n";
  }
  if (!settings.same.empty()) {
    std::vector<std::vector<std::string>> rows;
    const auto known =
        std::ranges::find_if(runs, [](const Run& run) { return !run.options.empty(); });
    for (const std::string& option : settings.same) {
      const auto source = known->option_sources.find(option);
      rows.push_back({option, option_of(*known, option),
                      source == known->option_sources.end() ? "" : source->second});
    }
    const std::string head[] = {"setting", "value", "from"};
    html += fmt::format("<details><summary>{}{} setting{}</summary>{}</details>\n", rows.size(),
                        runs.size() > 1 ? " common" : "", rows.size() == 1 ? "" : "s",
                        html_table(head, rows));
  }
  return html;
}

std::string data_part(std::span<const Run> runs) {
  SharedLines rows;
  SharedLines notices;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].train_rows) {
      rows.add(i, row_counts("training", *runs[i].train_rows));
    }
    if (runs[i].eval_rows) {
      rows.add(i, row_counts("evaluation", *runs[i].eval_rows));
    }
    for (const std::string& notice : notices_of(runs[i])) {
      notices.add(i, shown_text(notice));
    }
  }
  const std::string list = notices.html(runs, "<li>", " ", "</li>");
  const std::string counts = rows.html(runs, "<tr><th scope=\"row\">", "</th>", "</tr>");
  std::string html;
  if (!list.empty()) {
    html += "<ul class=\"notices\">\n" + list + "</ul>\n";
  }
  if (!counts.empty()) {
    html +=
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">run</th><th "
        "scope=\"col\">data</th><th scope=\"col\">rows</th><th scope=\"col\">used</th><th "
        "scope=\"col\">cut</th><th scope=\"col\">dropped</th></tr></thead>\n<tbody>" +
        counts + "</tbody></table></div>\n";
  }
  return html;
}

}  // namespace lmpo

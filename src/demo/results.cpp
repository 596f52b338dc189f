#include "demo/results.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace lmpo {
namespace {

using Seeds = std::span<const std::int64_t>;

// One verdict per seed.
std::vector<Verdict> verdicts(const fs::path& root, const std::string& variant, Seeds seeds) {
  std::vector<Verdict> all;
  for (const std::int64_t seed : seeds) {
    const auto answers = [&](const std::string& name) {
      return read_judged_answers(root / variant_folder(seed, name) / kAnswersFile);
    };
    all.push_back(judge(answers(variant), answers(kSft)));
  }
  return all;
}

Estimate estimate_of(const std::vector<Verdict>& verdicts, double Verdict::*value) {
  std::vector<double> values;
  for (const Verdict& verdict : verdicts) {
    values.push_back(verdict.*value);
  }
  return estimate(values);
}

Estimate paired_difference(const std::vector<Verdict>& verdicts,
                           const std::vector<Verdict>& others) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    differences.push_back(verdicts[i].win_rate_at_equal_length -
                          others[i].win_rate_at_equal_length);
  }
  return estimate(differences);
}

ResultRow row_of(const Variant& variant, const std::vector<Verdict>& own,
                 const std::vector<Verdict>& lmpo) {
  return {variant.title,
          variant.settings,
          estimate_of(own, &Verdict::win_rate),
          estimate_of(own, &Verdict::win_rate_at_equal_length),
          estimate_of(own, &Verdict::right),
          estimate_of(own, &Verdict::tokens),
          lmpo.empty() ? Estimate{} : paired_difference(own, lmpo)};
}

struct Column {
  const char* title;
  Estimate ResultRow::*value;
  double factor = 100;  // rates are shown as percentages
  bool needs_lmpo = false;
};
constexpr Column kWinRate = {"win rate %", &ResultRow::win_rate};
constexpr Column kAtEqualLength = {"win rate at equal length %",
                                   &ResultRow::win_rate_at_equal_length};
constexpr Column kTokens = {"tokens", &ResultRow::tokens, 1};
constexpr Column kColumns[] = {kWinRate,
                               kAtEqualLength,
                               {"beside LMPO", &ResultRow::beside_lmpo, 100, true},
                               {"right %", &ResultRow::right},
                               kTokens};

std::vector<Column> columns_of(const ResultTable& table) {
  std::vector<Column> columns;
  std::ranges::copy_if(kColumns, std::back_inserter(columns),
                       [&](const Column& column) { return table.has_lmpo || !column.needs_lmpo; });
  return columns;
}

// A metric of the training log by step: the mean over seeds, at steps that all seeds logged.
std::vector<Point> mean_curve(const fs::path& root, const std::string& variant, Seeds seeds,
                              const char* metric) {
  std::map<double, std::vector<double>> values;  // by step
  for (const std::int64_t seed : seeds) {
    const json state =
        read_json(root / variant_folder(seed, variant) / kRunFolder / "trainer_state.json");
    for (const json& entry : state.at("log_history")) {
      if (entry.contains(metric)) {
        values[entry.at("step").get<double>()].push_back(entry.at(metric).get<double>());
      }
    }
  }
  std::vector<Point> curve;
  for (const auto& [step, of_seeds] : values) {
    if (of_seeds.size() == seeds.size()) {
      curve.push_back({step, estimate(of_seeds).mean});
    }
  }
  return curve;
}

Figure likelihoods_figure(const fs::path& root, Seeds seeds) {
  Figure figure{"log-probabilities", "methods", {}};
  for (const auto& [metric, title] :
       {std::pair("logps/chosen", "average log-probability of chosen responses"),
        std::pair("logps/rejected", "average log-probability of rejected responses")}) {
    Chart chart{title, "step", {}};
    for (const char* objective : {"lmpo", "simpo"}) {
      chart.series.push_back(
          {find_method(objective).title, mean_curve(root, objective, seeds, metric)});
    }
    figure.charts.push_back(std::move(chart));
  }
  return figure;
}

// A column of the table as a curve over the option's values, with error bars.
Series along(const Part& part, const ResultTable& table, const Column& column) {
  Series series{.name = column.title, .points = {}};
  for (std::size_t i = 0; i < part.x.size(); ++i) {
    const Estimate& value = table.rows[i].*column.value;
    series.points.push_back({part.x[i], column.factor * value.mean});
    series.errors.push_back(column.factor * value.standard_error);
  }
  return series;
}

Figure option_figure(const fs::path& root, const Part& part, Seeds seeds) {
  Chart curves{fmt::format("log-probability of chosen, by {}", part.x_label), "step", {}};
  for (const Variant& variant : part.variants) {
    curves.series.push_back({variant.title, mean_curve(root, variant.name, seeds, "logps/chosen")});
  }
  const ResultTable table = result_table(root, part, seeds);
  return {part.name,
          part.name,
          {curves,
           {"win rate against SFT",
            part.x_label,
            {along(part, table, kWinRate), along(part, table, kAtEqualLength)}},
           {"length of answers", part.x_label, {along(part, table, kTokens)}}}};
}

}  // namespace

ResultTable result_table(const fs::path& root, const Part& part, Seeds seeds) {
  const std::vector<Verdict> lmpo = verdicts(root, "lmpo", seeds);
  ResultTable table{part.title, {}, std::ssize(seeds), true};
  if (part.name == "methods") {
    table.rows.push_back(row_of({.name = kSft, .title = "SFT"}, verdicts(root, kSft, seeds), lmpo));
  }
  for (const Variant& variant : part.variants) {
    table.rows.push_back(row_of(variant, verdicts(root, variant.name, seeds), lmpo));
  }
  return table;
}

SweepResult sweep_result(const fs::path& root) {
  const std::int64_t seeds[] = {kSweepSeed};
  SweepResult result;
  for (const Method& method : methods()) {
    ResultTable table{method.title, {}, 1, false};
    for (const Variant& variant : sweep_part().variants) {
      if (variant.objective == method.objective) {
        table.rows.push_back(row_of(variant, verdicts(root, variant.name, seeds), {}));
      }
    }
    const auto best = std::ranges::max_element(
        table.rows, {}, [](const ResultRow& row) { return row.win_rate_at_equal_length.mean; });
    result.best.push_back(fmt::format("{}: {}", best->title, best->settings));
    result.tables.push_back(std::move(table));
  }
  return result;
}

std::vector<std::vector<std::string>> to_cells(const ResultTable& table) {
  std::vector<std::vector<std::string>> lines = {{table.title}};
  const std::vector<Column> columns = columns_of(table);
  for (const Column& column : columns) {
    lines[0].emplace_back(column.title);
  }
  for (const ResultRow& row : table.rows) {
    std::vector<std::string>& line = lines.emplace_back();
    line.push_back(row.title + (row.settings.empty() ? "" : ", ") + row.settings);
    for (const Column& column : columns) {
      const Estimate& value = row.*column.value;
      line.push_back(fmt::format("{:.1f}", column.factor * value.mean));
      if (table.seeds > 1) {
        line.back() += fmt::format(" ± {:.1f}", column.factor * value.standard_error);
      }
    }
  }
  return lines;
}

std::string to_text(const ResultTable& table) {
  const auto lines = to_cells(table);
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], line[i].size());
    }
  }
  std::string text;
  for (const auto& line : lines) {
    text += fmt::format("{:<{}}", line[0], widths[0]);
    for (std::size_t i = 1; i < line.size(); ++i) {
      text += fmt::format("  {:>{}}", line[i], widths[i]);
    }
    text += "\n";
  }
  return text;
}

std::string to_markdown(const ResultTable& table) {
  std::string text;
  for (const auto& line : to_cells(table)) {
    const bool is_head = text.empty();
    text += fmt::format("| {} |\n", fmt::join(line, " | "));
    if (is_head) {
      text += "|";
      for (std::size_t i = 0; i < line.size(); ++i) {
        text += "---|";
      }
      text += "\n";
    }
  }
  return text;
}

ordered_json to_json(const ResultTable& table) {
  ordered_json rows = ordered_json::array();
  const auto value = [](const Estimate& of) {
    return ordered_json{{"mean", of.mean}, {"standard_error", of.standard_error}};
  };
  for (const ResultRow& row : table.rows) {
    rows.push_back({{"name", row.title},
                    {"settings", row.settings},
                    {"win_rate", value(row.win_rate)},
                    {"win_rate_at_equal_length", value(row.win_rate_at_equal_length)},
                    {"win_rate_at_equal_length_beside_lmpo", value(row.beside_lmpo)},
                    {"right", value(row.right)},
                    {"tokens", value(row.tokens)}});
  }
  return {{"title", table.title}, {"rows", rows}};
}

std::vector<Figure> figures(const fs::path& root, std::span<const Part> chosen, Seeds seeds) {
  std::vector<Figure> all;
  if (std::ranges::find(chosen, "methods", &Part::name) != chosen.end()) {
    all.push_back(likelihoods_figure(root, seeds));
  }
  for (const Part& part : chosen) {
    if (!part.x.empty()) {
      all.push_back(option_figure(root, part, seeds));
    }
  }
  return all;
}

}  // namespace lmpo

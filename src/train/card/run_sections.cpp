#include "train/card/run_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "base/progress.h"
#include "train/card/front_matter.h"
#include "train/card/markdown_text.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

using TableRow = std::vector<std::string>;

std::string shown(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  return value.is_null() ? "" : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string number(const json& value) {
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : shown(value);
}

const json& member(const json& object, const std::string& name) {
  static const json none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

void add_counts(std::vector<TableRow>& rows, const char* what, const json& data) {
  if (!data.is_object()) {
    return;
  }
  std::string dropped;
  for (const auto& [reason, count] : member(data, "dropped").items()) {
    dropped +=
        fmt::format("{}{}: {}", dropped.empty() ? "" : ", ", escape_markdown(reason), shown(count));
  }
  rows.push_back({what, shown(member(data, "rows")), shown(member(data, "used")),
                  shown(member(data, "truncated")), dropped.empty() ? "none" : dropped});
}

// Whether the lowest or the highest value of a metric is best.
enum class Best { lowest, highest, unknown };

struct ShownMetric {
  const char* name;
  Best best;
};

constexpr std::array<ShownMetric, 11> kMetrics = {{{"loss", Best::lowest},
                                                   {"rewards/accuracies", Best::highest},
                                                   {"rewards/margins", Best::highest},
                                                   {"rewards/chosen", Best::unknown},
                                                   {"rewards/rejected", Best::unknown},
                                                   {"logps/chosen", Best::unknown},
                                                   {"logps/rejected", Best::unknown},
                                                   {"logps_per_token/chosen", Best::unknown},
                                                   {"logps_per_token/rejected", Best::unknown},
                                                   {"nll_loss", Best::lowest},
                                                   {"mean_token_accuracy", Best::highest}}};

struct Logged {
  json last;
  json best;
  json best_step;
};

// The last and best of the history's numbers under `name`.
std::optional<Logged> logged(const json& history, const std::string& name, Best best) {
  std::optional<Logged> found;
  for (const json& entry : history) {
    const json& value = member(entry, name);
    if (!value.is_number()) {
      continue;
    }
    const bool better =
        !found || (best == Best::lowest ? value < found->best : value > found->best);
    if (!found) {
      found.emplace();
    }
    found->last = value;
    if (better) {
      found->best = value;
      found->best_step = member(entry, "step");
    }
  }
  return found;
}

TableRow cells(const std::optional<Logged>& of, Best best) {
  if (!of) {
    return {"", ""};
  }
  return {number(of->last), best == Best::unknown ? ""
                                                  : fmt::format("{} (step {})", number(of->best),
                                                                shown(of->best_step))};
}

std::string metrics_table(const json& history) {
  std::vector<TableRow> rows;
  bool evaluated = false;
  for (const ShownMetric& metric : kMetrics) {
    const auto training = logged(history, metric.name, metric.best);
    const auto evaluation = logged(history, std::string("eval_") + metric.name, metric.best);
    evaluated = evaluated || evaluation;
    if (training || evaluation) {
      TableRow row = {code_span(metric.name)};
      for (const auto& part : {cells(training, metric.best), cells(evaluation, metric.best)}) {
        row.insert(row.end(), part.begin(), part.end());
      }
      rows.push_back(std::move(row));
    }
  }
  TableRow head = {"metric", "training, last", "training, best", "evaluation, last",
                   "evaluation, best"};
  if (!evaluated) {
    head.resize(3);
    for (TableRow& row : rows) {
      row.resize(3);
    }
  }
  return rows.empty() ? "" : markdown_table(head, rows) + "\n";
}

void add_if_number(std::vector<TableRow>& rows, const char* what, const json& value,
                   std::string (*show)(const json&)) {
  if (value.is_number()) {
    rows.push_back({what, show(value)});
  }
}

std::string effort_table(const json& run, const json& state) {
  const json& result = member(run, "result");
  std::vector<TableRow> rows;
  add_if_number(rows, "steps", member(state, "global_step"), shown);
  add_if_number(rows, "epochs", member(state, "epoch"), number);
  add_if_number(rows, "tokens", member(state, "num_input_tokens_seen"), shown);
  add_if_number(rows, "time", member(result, "train_runtime"),
                [](const json& value) { return readable_time(value.get<double>()); });
  add_if_number(rows, "examples a second", member(result, "train_samples_per_second"), number);
  add_if_number(rows, "tokens a second", member(result, "train_tokens_per_second"), number);
  add_if_number(rows, "memory at the peak", member(result, "memory_peak"),
                [](const json& value) { return readable_bytes(value.get<std::size_t>()); });
  return rows.empty() ? "" : markdown_table({"the run", ""}, rows);
}

}  // namespace

RunSettings::RunSettings(const json& run, const std::string& source)
    : options_(member(run, "options")) {
  if (!options_.is_object()) {
    user_error("{}: expected the options of a run", source);
  }
  for (const auto& [name, entry] : options_.items()) {
    const std::string from = shown(member(entry, "source"));
    all_.push_back({.name = name,
                    .value = shown(member(entry, "value")),
                    .from = entry.contains("place") ? shown(entry.at("place")) : from,
                    .given = from != "default"});
  }
}

std::string RunSettings::text(const std::string& name) const {
  return shown(member(member(options_, name), "value"));
}

std::vector<std::string> RunSettings::paths(const std::string& name) const {
  std::vector<std::string> paths;
  for (const json& source : member(member(options_, name), "value")) {
    paths.push_back(shown(source.is_object() ? member(source, "path") : source));
  }
  return paths;
}

std::vector<std::string> RunSettings::hub_datasets() const {
  std::vector<std::string> names;
  for (const char* option : {"dataset", "eval_dataset"}) {
    for (const std::string& path : paths(option)) {
      const std::string name = hub_name(path, "datasets");
      if (!name.empty() && std::ranges::find(names, name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

std::string data_section(const json& run, const RunSettings& settings) {
  std::string text = "\n## Data\n\n";
  for (const auto& [option, what] :
       {std::pair("dataset", "training"), std::pair("eval_dataset", "evaluation")}) {
    for (const std::string& path : settings.paths(option)) {
      text += fmt::format("- {}: {}\n", what, code_span(path));
    }
  }
  std::vector<TableRow> rows;
  add_counts(rows, "training", member(run, "train_data"));
  add_counts(rows, "evaluation", member(run, "eval_data"));
  text += "\n" + markdown_table({"", "rows", "used", "truncated", "dropped"}, rows);
  return text + fmt::format("\nFingerprint of the training tokens: {}\n",
                            code_span(shown(member(run, "data_fingerprint"))));
}

std::string settings_section(const RunSettings& settings) {
  std::vector<TableRow> given;
  std::vector<TableRow> others;
  for (const RunSettings::Setting& setting : settings.all()) {
    const std::string value = setting.value.empty() ? "" : code_span(setting.value);
    if (setting.given) {
      given.push_back({code_span(setting.name), value, code_span(setting.from)});
    } else {
      others.push_back({code_span(setting.name), value});
    }
  }
  return "\n## Settings\n\n" + markdown_table({"given", "value", "by"}, given) +
         "\n<details>\n<summary>All others had their defaults</summary>\n\n" +
         markdown_table({"setting", "value"}, others) + "\n</details>\n";
}

std::string results_section(const json& run, const json& state) {
  return "\n## Results\n\n" + metrics_table(member(state, "log_history")) +
         effort_table(run, state);
}

}  // namespace lmpo

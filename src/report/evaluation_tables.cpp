// Evaluations as tables, for the page and in Markdown.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/evaluations.h"

namespace lmpo {
namespace {

constexpr const char* kNoScore = "\u2013";

bool is_share(const TaskScore& score) {
  const std::string_view metric = score.metric;
  return metric.starts_with("acc") || metric.starts_with("exact_match") ||
         metric.starts_with("prompt_level_") || metric.starts_with("inst_level_");
}

std::string with_error(const std::string& value, double error) {
  return std::isnan(error) ? value : fmt::format("{} ± {:.2f}", value, error);
}

std::vector<std::string> tasks_of(std::span<const Evaluation> evaluations) {
  std::vector<std::string> tasks;
  for (const Evaluation& one : evaluations) {
    for (const auto& [task, score] : one.scores) {
      if (std::ranges::find(tasks, task) == tasks.end()) {
        tasks.push_back(task);
      }
    }
  }
  std::ranges::sort(tasks);
  return tasks;
}

const TaskScore* score_for(const Evaluation& one, const std::string& task) {
  const auto found = one.scores.find(task);
  return found == one.scores.end() ? nullptr : &found->second;
}

// Of all tasks, in percent; NaN if one is missing or no share.
double mean_of(const Evaluation& one, const std::vector<std::string>& tasks) {
  double sum = 0;
  for (const std::string& task : tasks) {
    const TaskScore* score = score_for(one, task);
    sum += score != nullptr && is_share(*score) ? 100 * score->value : std::nan("");
  }
  return sum / static_cast<double>(tasks.size());
}

std::string mean_cell(double mean, const char* sign) {
  return std::isnan(mean) ? kNoScore
         : *sign == '+'   ? fmt::format("{:+.2f}", mean)
                          : fmt::format("{:.2f}", mean);
}

std::string difference_cell(const TaskScore* score, const TaskScore* base) {
  if (score == nullptr || base == nullptr) {
    return kNoScore;
  }
  const std::optional<ScoreDifference> difference = paired_difference(*score, *base);
  if (!difference) {
    return "not comparable";
  }
  const double scale = is_share(*score) ? 100 : 1;
  return with_error(fmt::format("{:+.2f}", scale * difference->value), scale * difference->error);
}

// The title says what all models have in common; where settings differ, each cell says its own.
struct TaskColumn {
  std::string title;
  bool same_settings = true;
};

TaskColumn column_of(std::span<const Evaluation> evaluations, const std::string& task) {
  const TaskScore* first = nullptr;
  TaskColumn column;
  for (const Evaluation& one : evaluations) {
    const TaskScore* score = score_for(one, task);
    first = first == nullptr ? score : first;
    column.same_settings = column.same_settings &&
                           (score == nullptr ||
                            (score->settings == first->settings && score->metric == first->metric));
  }
  column.title = column.same_settings
                     ? fmt::format("{}, {} ({})", task, first->metric, first->settings)
                     : task;
  return column;
}

std::string value_cell(const TaskScore* score, bool same_settings) {
  if (score == nullptr) {
    return kNoScore;
  }
  const double scale = is_share(*score) ? 100 : 1;
  const std::string value =
      with_error(fmt::format("{:.2f}", scale * score->value), scale * score->error);
  return same_settings ? value : fmt::format("{} ({}, {})", value, score->metric, score->settings);
}

std::string markdown_cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  }
  return result;
}

}  // namespace

std::vector<ReportTable> evaluation_tables(std::span<const Evaluation> evaluations) {
  const std::vector<std::string> tasks = tasks_of(evaluations);
  if (tasks.empty()) {
    return {};
  }
  ReportTable values = {.title = "", .head = {"model"}, .rows = {}};
  ReportTable differences = {
      .title = "Differences from " + evaluations[0].name, .head = {"model"}, .rows = {}};
  for (const Evaluation& one : evaluations) {
    values.rows.push_back({one.name});
    differences.rows.push_back({one.name});
  }
  for (const std::string& task : tasks) {
    const TaskColumn column = column_of(evaluations, task);
    values.head.push_back(column.title);
    differences.head.push_back(task);
    const TaskScore* base = score_for(evaluations[0], task);
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      const TaskScore* score = score_for(evaluations[i], task);
      values.rows[i].push_back(value_cell(score, column.same_settings));
      differences.rows[i].push_back(difference_cell(score, base));
    }
  }
  if (tasks.size() > 1) {
    const double base = mean_of(evaluations[0], tasks);
    values.head.emplace_back("mean");
    differences.head.emplace_back("mean");
    for (std::size_t i = 0; i < evaluations.size(); ++i) {
      const double mean = mean_of(evaluations[i], tasks);
      values.rows[i].push_back(mean_cell(mean, ""));
      differences.rows[i].push_back(mean_cell(mean - base, "+"));
    }
  }
  differences.rows.erase(differences.rows.begin());
  return differences.rows.empty() ? std::vector{values} : std::vector{values, differences};
}

std::string evaluation_markdown(std::span<const Evaluation> evaluations) {
  std::string text;
  for (const ReportTable& table : evaluation_tables(evaluations)) {
    text += table.title.empty() ? "" : fmt::format("\n{}\n\n", table.title);
    std::string line = "|";
    std::string rule = "|";
    for (const std::string& title : table.head) {
      line += fmt::format(" {} |", markdown_cell(title));
      rule += rule == "|" ? "---|" : "---:|";
    }
    text += fmt::format("{}\n{}\n", line, rule);
    for (const auto& row : table.rows) {
      text += "|";
      for (const std::string& cell : row) {
        text += fmt::format(" {} |", markdown_cell(cell));
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace lmpo

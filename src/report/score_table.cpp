#include "report/score_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/mean_error.h"

namespace lmpo {
namespace {

std::string row_of(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string difference_text(const ScoreDifference& difference) {
  const std::string value = fmt::format("{:+.2f}", 100 * difference.difference);
  return difference.error ? fmt::format("{} ± {:.2f}", value, 100 * *difference.error) : value;
}

double mean_of(const ModelScores& model) {
  double sum = 0;
  for (const auto& [task, score] : model.tasks) {
    sum += score.value;
  }
  return sum / static_cast<double>(model.tasks.size());
}

std::vector<std::string> score_cells(const ModelScores& model,
                                     const std::vector<std::string>& columns, bool has_mean) {
  std::vector<std::string> cells = {model.name};
  for (const std::string& task : columns) {
    const auto own = model.tasks.find(task);
    cells.push_back(own == model.tasks.end() ? "-"
                                             : fmt::format("{:.2f}", 100 * own->second.value));
  }
  if (has_mean) {
    cells.push_back(fmt::format("{:.2f}", 100 * mean_of(model)));
  }
  return cells;
}

std::vector<std::string> difference_cells(const ModelScores& model, const ModelScores& first,
                                          const std::vector<std::string>& columns, bool has_mean) {
  std::vector<std::string> cells = {fmt::format("{} − {}", model.name, first.name)};
  for (const std::string& task : columns) {
    const auto own = model.tasks.find(task);
    const auto other = first.tasks.find(task);
    const bool both = own != model.tasks.end() && other != first.tasks.end();
    cells.push_back(both ? difference_text(difference_of(task, own->second, other->second)) : "-");
  }
  if (has_mean) {
    cells.push_back(difference_text({.difference = mean_of(model) - mean_of(first)}));
  }
  return cells;
}

// Which numbers stand for the tasks.
std::string metrics_text(std::span<const ModelScores> models,
                         const std::vector<std::string>& columns) {
  std::vector<std::string> parts;
  for (const std::string& task : columns) {
    for (const ModelScores& model : models) {
      if (const auto found = model.tasks.find(task); found != model.tasks.end()) {
        const TaskScore& score = found->second;
        parts.push_back(fmt::format(
            "{} {}{}, {} documents", task_title(task),
            score.metric.substr(0, score.metric.find(',')),
            score.examples ? fmt::format(" ({}-shot)", *score.examples) : "", score.documents));
        break;
      }
    }
  }
  return fmt::format("\n{}.\n", fmt::join(parts, "; "));
}

}  // namespace

ScoreDifference difference_of(const std::string& task, const TaskScore& score,
                              const TaskScore& first) {
  if (score.documents != first.documents || score.metric != first.metric) {
    user_error(
        "{}: {} of {} documents cannot be compared with {} of {}: evaluate both models with the "
        "same options",
        task, score.metric, score.documents, first.metric, first.documents);
  }
  ScoreDifference result{.difference = score.value - first.value};
  std::vector<double> pairs;
  for (const auto& [document, value] : score.by_document) {
    const auto other = first.by_document.find(document);
    if (!first.by_document.empty() && other == first.by_document.end()) {
      user_error("{}: the models were asked different documents: use the same data and --limit",
                 task);
    }
    if (other != first.by_document.end()) {
      pairs.push_back(value - other->second);
    }
  }
  if (pairs.size() > 1) {
    result.error = mean_error(pairs).error;
  }
  return result;
}

std::string score_table(std::span<const ModelScores> models) {
  const std::vector<std::string> columns = tasks_of(models);
  const bool has_mean = std::ranges::all_of(models, [&](const ModelScores& model) {
    return columns.size() > 1 && model.tasks.size() == columns.size();
  });
  std::vector<std::string> head = {"model"};
  std::ranges::transform(columns, std::back_inserter(head), task_title);
  if (has_mean) {
    head.emplace_back("mean");
  }
  std::string table = row_of(head) + row_of(std::vector<std::string>(head.size(), "---"));
  for (const ModelScores& model : models) {
    table += row_of(score_cells(model, columns, has_mean));
    if (&model != &models.front()) {
      table += row_of(difference_cells(model, models.front(), columns, has_mean));
    }
  }
  return table + metrics_text(models, columns);
}

}  // namespace lmpo

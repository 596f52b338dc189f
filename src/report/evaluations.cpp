#include "report/evaluations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "report/html.h"

namespace lmpo {
namespace {

// Names hold dates, so in their order the newest is the last.
std::vector<fs::path> results_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (is_results_file(at->path())) {
      files.push_back(at->path());
    }
  }
  std::ranges::sort(files, {}, [](const fs::path& file) { return file.filename(); });
  return files;
}

bool is_of(const ModelScores& scores, const Run& run) {
  std::error_code error;
  return !scores.model.empty() && fs::equivalent(scores.model, run.folder, error) && !error;
}

void take_over(ModelScores scores, Run& run) {
  run.scores.name = run.name;
  for (auto& [task, score] : scores.tasks) {
    run.scores.tasks.insert_or_assign(task, std::move(score));
  }
}

std::string score_text(const TaskScore& score) {
  const std::string value = fmt::format("{:.2f}", 100 * score.value);
  return score.error ? fmt::format("{} ± {:.2f}", value, 100 * *score.error) : value;
}

}  // namespace

void add_evaluations(std::span<Run> runs, std::span<const fs::path> folders) {
  for (Run& run : runs) {
    for (const fs::path& file : results_in(run.folder)) {
      try {
        ModelScores scores = read_results_file(run.name, file);
        if (is_of(scores, run)) {
          take_over(std::move(scores), run);
        }
      } catch (const UserError& error) {
        run.notices.emplace_back(error.what());
      }
    }
  }
  for (const fs::path& folder : folders) {
    const std::vector<fs::path> files = results_in(folder);
    if (files.empty()) {
      user_error("{} has no results_*.json: lmpo eval --output_path DIR writes one",
                 folder.string());
    }
    for (const fs::path& file : files) {
      const ModelScores scores = read_results_file("", file);
      bool is_known = false;
      for (Run& run : runs) {
        if (is_of(scores, run)) {
          take_over(scores, run);
          is_known = true;
        }
      }
      if (!is_known) {
        log_warning("{}: its model, {}, is of none of the runs", file.string(),
                    scores.model.string());
      }
    }
  }
}

std::string evaluations_part(std::span<const Run> runs) {
  std::vector<ModelScores> all;
  for (const Run& run : runs) {
    all.push_back(run.scores);
  }
  std::vector<std::string> head = {"task, in percent"};
  for (const Run& run : runs) {
    head.push_back(run.name);
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& task : tasks_of(all)) {
    std::vector<std::string> row = {task_title(task)};
    for (const ModelScores& scores : all) {
      const auto found = scores.tasks.find(task);
      row.push_back(found == scores.tasks.end() ? "\u2013" : score_text(found->second));
    }
    rows.push_back(std::move(row));
  }
  return rows.empty() ? "" : html_table(head, rows);
}

}  // namespace lmpo

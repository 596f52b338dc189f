// Evaluations of models as lmpo eval and lm-eval leave them: results_DATE.json, and beside it
// samples_TASK_DATE.jsonl with every document's numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/report_page.h"

namespace lmpo {

// A task's main metric; a group's, which is the mean over its documents.
struct TaskScore {
  std::string metric;           // "acc_norm"
  std::string filter;           // "none", "strict-match"
  double value = 0;             // as in the file: a share of 1 where it is a share
  double error = 0;             // its standard error; NaN: unknown
  std::string settings;         // that numbers depend on: "25-shot, 1172 documents"
  std::vector<fs::path> parts;  // the samples of the task, or of each task of the group
};

struct Evaluation {
  std::string name;  // a run's name, the user's, or the model's folder
  std::map<std::string, TaskScore, std::less<>> scores;  // by task; the latest
};

// Of the folders that a user names, "FOLDER" or "NAME=FOLDER", then those in the folders of runs. An
// evaluation of a run's folder, or of a checkpoint in it, bears the run's name. Tasks of a group
// that has a score of its own are left out. UserError for a named folder without results.
std::vector<Evaluation> read_evaluations(std::span<const std::string> names,
                                         std::span<const Run> runs);

struct ScoreDifference {
  double value = 0;
  double error = 0;  // standard error of the paired differences; NaN: samples are missing
};
// What `score` has more than `base` on the same documents. Nothing if settings, documents or their
// right answers differ.
std::optional<ScoreDifference> paired_difference(const TaskScore& score, const TaskScore& base);

// A row a model, a column a task: values, then differences from the first model. Shares in percent.
std::vector<ReportTable> evaluation_tables(std::span<const Evaluation> evaluations);
// The same in Markdown.
std::string evaluation_markdown(std::span<const Evaluation> evaluations);

}  // namespace lmpo

// What a model scored on tasks, from the files that lmpo eval or lm-eval wrote (results_DATE.json,
// samples_TASK_DATE.jsonl).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

// The number that stands for a task or a group.
struct TaskScore {
  std::string metric;                // "acc_norm", "exact_match,strict-match"
  double value = 0;                  // a share
  std::optional<double> error = {};  // its standard error
  std::int64_t documents = 0;
  std::optional<std::int64_t> examples = {};  // none of a group
  // By the document's hash, for paired differences; empty where there are no samples.
  std::map<std::string, double> by_document = {};
};

struct ModelScores {
  std::string name;
  fs::path model;                          // as the evaluation was given it
  std::map<std::string, TaskScore> tasks;  // groups stand for their members
};

// Whether a file is named as results are.
bool is_results_file(const fs::path& file);
// UserError where it is not as the harness writes it. `name` is what the model is called.
ModelScores read_results_file(const std::string& name, const fs::path& file);
// The newest results in a folder, or in the one folder in it that has some. UserError where there
// are none.
ModelScores read_model_scores(const std::string& name, const fs::path& folder);

// What a task is called in tables: as in the paper, or by its name.
std::string task_title(const std::string& task);
// The tasks of any of these models, the paper's first, in its order.
std::vector<std::string> tasks_of(std::span<const ModelScores> models);

}  // namespace lmpo

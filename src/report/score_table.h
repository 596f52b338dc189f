// Models' scores beside each other: the paper's Table 4, in Markdown.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "report/model_scores.h"

namespace lmpo {

struct ScoreDifference {
  double difference = 0;
  std::optional<double> error = {};  // of the mean of paired differences; none without samples
};
// Of two models' scores of a task. UserError where they are of different documents.
ScoreDifference difference_of(const std::string& task, const TaskScore& score,
                              const TaskScore& first);

// A row a model, in percent, and below each but the first its differences from the first with their
// standard errors. The mean is shown where every model has every task.
std::string score_table(std::span<const ModelScores> models);

}  // namespace lmpo

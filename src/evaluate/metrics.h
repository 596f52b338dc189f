// From judgements of documents to a task's numbers, and from tasks to groups. Thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/registry.h"
#include "evaluate/task.h"

namespace lmpo {

struct MetricResult {
  std::string metric;
  std::string filter;
  double value = 0;
  std::optional<double> stderr_ = {};  // none where there is no formula for it, or one document
  bool higher_is_better = true;
};

// `judgements`: of each document. In the order of filters, then of the task's metrics.
std::vector<MetricResult> aggregate(const TaskInfo& task,
                                    std::span<const std::vector<Judgement>> judgements);

// A task in a group.
struct MemberResult {
  std::span<const MetricResult> metrics;
  std::int64_t documents = 0;
};
// Of the metrics named: means weighted by documents, and pooled standard errors
//   sqrt( sum_i n_i (n_i - 1) se_i^2 / (sum_i n_i - members) / sum_i n_i ).
std::vector<MetricResult> aggregate_group(std::span<const std::string> metrics,
                                          std::span<const MemberResult> members);

}  // namespace lmpo

// The metrics that an objective adds to every evaluation.
#pragma once

#include <string>
#include <vector>

#include "objective/objective.h"

namespace lmpo {

// By name, as MetricSums has them. Evaluates two examples that are made up; the objective is of no
// other use afterwards.
std::vector<std::string> metric_names(Objective& objective);

}  // namespace lmpo

// The metrics that an objective adds to every evaluation.
#pragma once

#include <string>
#include <vector>

#include "objective/objective.h"

namespace lmpo {

// Sorted. Found by evaluating two made-up examples.
std::vector<std::string> metric_names(const Objective& objective);

}  // namespace lmpo

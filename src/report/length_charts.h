// How long answers are.
#pragma once

#include <vector>

#include "report/report_page.h"

namespace lmpo {

// Histograms of tokens at the last evaluation of each run and in each file of answers, at the first
// evaluation, and the mean by step: those that there is something for. Series bear the names of
// runs and files.
std::vector<Chart> length_charts(const Report& report);

}  // namespace lmpo

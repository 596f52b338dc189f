// How long answers are.
#pragma once

#include <string>
#include <vector>

#include "report/report_page.h"

namespace lmpo {

// Histograms of tokens at the last evaluation of each run and in each file of answers, at the first
// evaluation, and the mean by step: those that there is something for. Series bear the names of
// runs and files. Answers that were cut at their limit of tokens are left out: nobody knows how
// long they would have become.
std::vector<Chart> length_charts(const Report& report);

// How many answers were left out, of which runs and files; empty where none was.
std::string left_out_of_lengths(const Report& report);

}  // namespace lmpo

// Charts of the lengths of answers.
#pragma once

#include <string>
#include <vector>

#include "report/report_page.h"

namespace lmpo {

// Histograms of tokens, at the last evaluation of each run and in each answer set, and at the first
// evaluation; the mean by step. Charts without data are left out. Series bear the names of runs and
// answer sets. Answers that were cut at the token limit are left out: their length is unknown.
std::vector<Chart> length_charts(const Report& report);

// A sentence that counts the answers left out of each run and answer set; empty if there are none.
std::string left_out_of_lengths(const Report& report);

}  // namespace lmpo

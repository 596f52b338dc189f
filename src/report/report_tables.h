// The tables of a report's page that are made of runs, as HTML.
#pragma once

#include <span>
#include <string>

#include "report/run.h"

namespace lmpo {

// One row a run: how it stands, last and best metrics, time, tokens, speed, memory. Columns that no
// run has anything for are left out.
std::string summary_table(std::span<const Run> runs);

// Options that differ between runs; those that do not, folded away.
std::string settings_part(std::span<const Run> runs);

// Rows read, used and dropped, then each run's notices.
std::string data_part(std::span<const Run> runs);

// A run's name with its colour before it, which hides and shows with the run.
std::string run_label(const Run& run, std::size_t place);

}  // namespace lmpo

// Runs a study, from data to tables: lmpo demo.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file_lock.h"
#include "demo/jobs.h"
#include "demo/study.h"

namespace lmpo {

struct StudyRun {
  fs::path root;                    // folder for everything
  std::vector<Part> parts;          // the parts to run
  std::vector<std::int64_t> seeds;  // each has its own data
  StudySizes sizes = {};
  std::int64_t at_once = 1;  // concurrent runs, with one thread each
};

// Creates the folder, or opens that of an earlier start, and locks it. UserError if the folder holds
// anything else or results of another `version` of lmpo.
FileLock open_study(const fs::path& root, const std::string& version);

// For each seed: writes the data, trains the SFT model, then every variant of the parts. Keeps what is
// done already. False if interrupted. Throws as run_jobs does.
bool run_study(const StudyRun& run, const std::function<void(const JobProgress&)>& ended);

// Writes results.md, results.json, report.html and an SVG file per figure into the folder. Returns the
// tables as text.
std::string write_results(const StudyRun& run);

// The sweep's tables and each method's best values, as text.
std::string sweep_text(const fs::path& root);

}  // namespace lmpo

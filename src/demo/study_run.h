// A study from its worlds to its tables: lmpo demo.
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
  std::vector<Part> parts;          // of the study
  std::vector<std::int64_t> seeds;  // a world each
  StudySizes sizes = {};
  std::int64_t at_once = 1;  // trainings, a thread each
};

// Makes the folder, or reopens the one of an earlier start, and holds it. UserError where it holds
// anything else, or the results of another `version` of lmpo.
FileLock open_study(const fs::path& root, const std::string& version);

// Worlds, SFT models, then every variant of the parts, a seed after another; what is done already is
// kept. False: interrupted. Throws as run_jobs.
bool run_study(const StudyRun& run, const std::function<void(const JobProgress&)>& ended);

// Writes results.md, results.json, report.html and a figure each as SVG into the folder. Returns the
// tables for a person.
std::string write_results(const StudyRun& run);

// The sweep's tables and what it found best, for a person.
std::string sweep_text(const fs::path& root);

}  // namespace lmpo

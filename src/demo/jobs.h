// Runs lmpo commands as processes, several at a time, and skips those already done.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Commands that run one after the other, with paths relative to the folder of all jobs. They write to
// `folder`, which no other job uses. It also gets log.txt, the output of the commands, and at the end
// done.json, which tells a later run to skip the job.
struct Job {
  fs::path folder;                                 // relative
  std::vector<std::vector<std::string>> commands;  // {"train", "--model", ...}
  std::string basis = {};  // other inputs of its results, compared with done.json
};

struct JobProgress {
  const Job& job;  // the one that ended
  double seconds;
  std::int64_t done;  // jobs that ended, this one included
  std::int64_t total;
  double seconds_left;  // if the rest takes as long on average
};

// True if it ran to its end with its present commands and basis.
bool is_done(const fs::path& root, const Job& job);

struct JobOptions {
  std::int64_t at_once = 1;
  fs::path program = "/proc/self/exe";  // runs the commands
};

// Runs the jobs that are not done, in order, and calls `ended` after each. An interrupted job starts
// again. Returns false after SIGINT or SIGTERM, which stop the commands. If a command fails, stops the
// others and throws a MachineError with the log and its last line. Commands never outlive this
// program. One call at a time in a program.
bool run_jobs(const fs::path& root, std::span<const Job> jobs, const JobOptions& options,
              const std::function<void(const JobProgress&)>& ended);

}  // namespace lmpo

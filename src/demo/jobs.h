// Runs commands as processes, several at the same time, and each job only once.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Commands that run one after the other in the folder of all jobs, so that their paths are relative
// to it. They write into `folder`, which belongs to this job alone. It also gets log.txt, their
// output, and at the end done.json, which tells a later start that the job is done.
struct Job {
  fs::path folder;                                 // relative
  std::vector<std::vector<std::string>> commands;  // {"train", "--model", ...}
  std::string basis = {};  // what else its results depend on; kept in done.json and compared
};

struct JobProgress {
  const Job& job;  // that has ended
  double seconds;
  std::int64_t done;  // of those to be run, this one included
  std::int64_t total;
  double seconds_left;  // if the others take as long on average
};

// Whether it ran to its end with the commands and the basis it has now.
bool is_done(const fs::path& root, const Job& job);

struct JobOptions {
  std::int64_t at_once = 1;
  fs::path program = "/proc/self/exe";  // whose commands they are
};

// Runs the jobs that are not done, in order, and calls `ended` for each one that ends. An
// interrupted job starts again from its beginning. Returns false after SIGINT or SIGTERM; the
// commands are then stopped. MachineError where a command fails: it names the log and its last
// line, and the other commands are stopped. One call at a time in a program.
bool run_jobs(const fs::path& root, std::span<const Job> jobs, const JobOptions& options,
              const std::function<void(const JobProgress&)>& ended);

}  // namespace lmpo

// Commands as processes of their own: several at once, each once.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Commands that run one after the other in the folder of all jobs, so that their paths are relative
// to it. What they write lies in `folder`, which is theirs alone; in it are also log.txt, what
// they said, and at the end done.json, by which a later run knows that nothing is left to do.
struct Job {
  fs::path folder;                                 // relative
  std::vector<std::vector<std::string>> commands;  // {"train", "--model", ...}
  std::string basis = {};  // what else its results follow from: kept in done.json and compared
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

// Runs those that are not done, in their order, and tells of each that ends. A job that was broken
// off begins anew. False: SIGINT or SIGTERM came; the commands were stopped.
// Throws MachineError, naming the log and its last line, where a command fails; the others are
// stopped. They never outlive this program. One call at a time in a program.
bool run_jobs(const fs::path& root, std::span<const Job> jobs, const JobOptions& options,
              const std::function<void(const JobProgress&)>& ended);

}  // namespace lmpo

#include "demo/jobs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "base/elapsed.h"
#include "base/error.h"
#include "base/json.h"
#include "demo/child_process.h"
#include "train/interrupt.h"

namespace lmpo {
namespace {

constexpr std::chrono::milliseconds kPoll{20};

fs::path done_file(const fs::path& root, const Job& job) {
  return root / job.folder / "done.json";
}

ordered_json identity_of(const Job& job) {
  return {{"commands", job.commands}, {"basis", job.basis}};
}

fs::path log_file(const fs::path& root, const Job& job) {
  return root / job.folder / "log.txt";
}

std::string last_line(const fs::path& file) {
  std::string text = read_file(file);
  text.erase(text.find_last_not_of("\n ") + 1);
  return text.substr(text.rfind('\n') + 1);
}

// Some programs start others with SIGCHLD ignored; then nobody learns how a child ended.
class ChildSignals {
 public:
  ChildSignals() : before_(std::signal(SIGCHLD, SIG_DFL)) {}
  ~ChildSignals() { std::signal(SIGCHLD, before_); }
  ChildSignals(const ChildSignals&) = delete;
  ChildSignals& operator=(const ChildSignals&) = delete;

 private:
  void (*before_)(int);
};

class RunningJob {
 public:
  RunningJob(const fs::path& root, const Job& job, const fs::path& program)
      : root_(root), job_(job), program_(program) {
    fs::remove_all(root / job.folder);
    fs::create_directories(root / job.folder);
    start_command();
  }
  RunningJob(const RunningJob&) = delete;
  RunningJob& operator=(const RunningJob&) = delete;

  // Whether the last command has ended; starts the next one where one has.
  bool poll() {
    const std::optional<bool> well = child_->ended_well();
    if (!well) {
      return false;
    }
    const fs::path log = log_file(root_, job_);
    if (!*well) {
      machine_error("{} failed: lmpo {}\nits output is in {}; the last line: {}",
                    job_.folder.string(), fmt::join(job_.commands[command_], " "), log.string(),
                    last_line(log));
    }
    if (++command_ < job_.commands.size()) {
      start_command();
      return false;
    }
    ordered_json done = identity_of(job_);
    done["seconds"] = seconds();
    write_file_atomically(done_file(root_, job_), done.dump(1) + "\n");
    return true;
  }

  double seconds() const { return seconds_since(start_); }
  const Job& job() const { return job_; }

 private:
  void start_command() {
    std::vector<std::string> words = {"lmpo"};
    words.insert(words.end(), job_.commands[command_].begin(), job_.commands[command_].end());
    const fs::path log = log_file(root_, job_);
    append_line(log, fmt::format("$ {}", fmt::join(words, " ")));
    child_.emplace(ChildCommand{program_, words, root_, log});
  }

  const fs::path& root_;
  const Job& job_;
  const fs::path& program_;
  std::size_t command_ = 0;
  std::optional<ChildProcess> child_;
  SteadyClock::time_point start_ = SteadyClock::now();
};

}  // namespace

bool is_done(const fs::path& root, const Job& job) {
  const fs::path file = done_file(root, job);
  if (!fs::exists(file)) {
    return false;
  }
  ordered_json written = ordered_json::parse(read_file(file), nullptr, false);
  return written.is_object() && written.erase("seconds") == 1 && written == identity_of(job);
}

bool run_jobs(const fs::path& root, std::span<const Job> jobs, const JobOptions& options,
              const std::function<void(const JobProgress&)>& ended) {
  std::deque<const Job*> waiting;
  for (const Job& job : jobs) {
    if (!is_done(root, job)) {
      waiting.push_back(&job);
    }
  }
  const auto total = std::ssize(waiting);
  std::int64_t done = 0;
  const auto start = SteadyClock::now();
  const InterruptWatch watch("stopping; unfinished runs start again next time");
  const ChildSignals signals;
  std::vector<std::unique_ptr<RunningJob>> running;
  while (done < total) {
    if (watch.interrupted()) {
      return false;
    }
    while (std::ssize(running) < options.at_once && !waiting.empty()) {
      running.push_back(std::make_unique<RunningJob>(root, *waiting.front(), options.program));
      waiting.pop_front();
    }
    for (auto job = running.begin(); job != running.end();) {
      if (!(*job)->poll()) {
        ++job;
        continue;
      }
      ++done;
      const double left =
          seconds_since(start) / static_cast<double>(done) * static_cast<double>(total - done);
      ended({(*job)->job(), (*job)->seconds(), done, total, left});
      job = running.erase(job);
    }
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace lmpo

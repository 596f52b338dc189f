#include "demo/jobs.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "train/interrupt.h"

namespace lmpo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPoll{20};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

// In the child: becomes the program with other words. Nothing here may allocate or take a lock,
// because other threads may have held one at the fork.
[[noreturn]] void become(const char* program, const char* root, const char* log,
                         char* const* words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = ::open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output >= 0 && input >= 0 && ::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 &&
      ::dup2(output, 2) == 2 && ::chdir(root) == 0) {
    ::execv(program, words);
  }
  ::_exit(127);
}

class RunningJob {
 public:
  RunningJob(const fs::path& root, const Job& job, const fs::path& program)
      : root_(root), job_(job), program_(program) {
    fs::remove_all(root / job.folder);
    fs::create_directories(root / job.folder);
    start_command();
  }
  ~RunningJob() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  RunningJob(const RunningJob&) = delete;
  RunningJob& operator=(const RunningJob&) = delete;

  // Whether the last command has ended; starts the next one where one has.
  bool poll() {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) == 0) {
      return false;
    }
    child_ = -1;
    const fs::path log = log_file(root_, job_);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      machine_error("{} failed: lmpo {}\n{} has all of what it said; at last: {}",
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
    const fs::path log = fs::absolute(log_file(root_, job_));
    append_line(log, fmt::format("$ {}", fmt::join(words, " ")));
    std::vector<char*> pointers;
    for (std::string& word : words) {
      pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      become(program_.c_str(), root_.c_str(), log.c_str(), pointers.data());
    }
    if (child_ < 0) {
      machine_error("no process could be started for {}", job_.folder.string());
    }
  }

  const fs::path& root_;
  const Job& job_;
  const fs::path& program_;
  std::size_t command_ = 0;
  pid_t child_ = -1;
  Clock::time_point start_ = Clock::now();
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
  const auto start = Clock::now();
  const InterruptWatch watch;
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

#include "demo/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr const char* kParent = "LMPO_PARENT_PROCESS";

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment() {
  std::vector<std::string> variables = {fmt::format("{}={}", kParent, ::getpid())};
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

// Files, folder and signals of the new process. It does not inherit this program's signal handling.
class SpawnSettings {
 public:
  explicit SpawnSettings(const ChildCommand& command) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(
        &actions_, STDOUT_FILENO, fs::absolute(command.output).c_str(), O_WRONLY | O_APPEND, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawn_file_actions_addchdir_np(&actions_, command.folder.c_str());
    ::posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGXFSZ}) {
      sigaddset(&signals, signal);
    }
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

ChildProcess::ChildProcess(const ChildCommand& command) {
  const SpawnSettings settings(command);
  std::vector<std::string> words = command.words;
  std::vector<std::string> variables = environment();
  const int code =
      ::posix_spawn(&process_, command.program.c_str(), settings.actions(), settings.attributes(),
                    pointers(words).data(), pointers(variables).data());
  if (code != 0) {
    process_ = -1;
    machine_error("{}: cannot start: {}", command.program.string(), std::strerror(code));
  }
}

ChildProcess::~ChildProcess() {
  if (process_ > 0) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
}

std::optional<bool> ChildProcess::ended_well() {
  int status = 0;
  const pid_t got = ::waitpid(process_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) {
    return std::nullopt;
  }
  process_ = -1;
  return got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void end_with_parent() {
  const char* parent = std::getenv(kParent);
  if (parent == nullptr) {
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::to_string(::getppid()) != parent) {
    ::_exit(1);  // the parent ended before prctl was called
  }
  ::unsetenv(kParent);
}

}  // namespace lmpo

#include "judge/piped_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/descriptor.h"
#include "base/error.h"

namespace lmpo {
namespace {

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    machine_error("no pipe for the judge's program: {}", std::strerror(errno));
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// The child reads from one pipe and writes to the other. Signals do what they do by default.
pid_t start(const std::string& command, int standard_input, int standard_output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, standard_input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, standard_output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    sigaddset(&signals, signal);
  }
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string words[] = {"sh", "-c", command};
  char* const pointers[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t process = -1;
  const int code = ::posix_spawn(&process, "/bin/sh", &actions, &attributes, pointers, ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) {
    machine_error("the judge's program cannot be started: {}", std::strerror(code));
  }
  return process;
}

// Ends with the program if it is not waited for.
class Child {
 public:
  explicit Child(pid_t process) : process_(process) {}
  ~Child() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t process_;
};

void read_lines_of(int descriptor, const std::function<void(std::string_view)>& take) {
  std::string text;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t size = ::read(descriptor, part.data(), part.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      break;
    }
    text.append(part.data(), static_cast<std::size_t>(size));
    std::size_t at = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
      take(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    text.erase(0, at);
  }
  if (!text.empty()) {
    take(text);
  }
}

}  // namespace

int run_piped(const std::string& command, std::string_view input,
              const std::function<void(std::string_view line)>& take) {
  Pipe to_child = make_pipe();
  Pipe from_child = make_pipe();
  // Destroyed last to first: the reading end, so that a child that still writes ends; the child; then the
  // writer, whose pipe nobody reads any more.
  std::jthread writer;
  Child child(start(command, to_child.read.get(), from_child.write.get()));
  const Descriptor reading = std::move(from_child.read);
  to_child.read.close();
  from_child.write.close();
  writer = std::jthread([writing = std::move(to_child.write), input] {
    // A program that ends before it has read everything may have said what it had to say.
    static_cast<void>(write_all(writing.get(), input.data(), input.size()));
  });
  read_lines_of(reading.get(), take);
  return child.wait();
}

}  // namespace lmpo

#include "base/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/descriptor.h"

namespace lmpo {

void prepare_standard_streams() {
  // open() takes the lowest free number. Input is opened for writing and output for reading, so that using
  // them fails as on a closed stream. Standard error is opened for writing: its text may be lost.
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) < 0 && errno == EBADF) {
      [[maybe_unused]] const int opened = ::open("/dev/null", kModes[number]);
    }
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void put_on_standard_error(std::string_view text) {
  std::fflush(stderr);
  write_all(STDERR_FILENO, text.data(), text.size());
}

bool output_has_no_reader() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

void end_without_reader() {
  std::signal(SIGPIPE, SIG_DFL);
  ::raise(SIGPIPE);
  ::_exit(128 + SIGPIPE);
}

void require_reader() {
  if (output_has_no_reader()) {
    end_without_reader();
  }
}

}  // namespace lmpo

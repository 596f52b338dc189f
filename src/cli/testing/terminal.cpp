#include "cli/testing/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "cli/testing/execute.h"

namespace lmpo {
namespace {

winsize size_of(Window window) {
  return {.ws_row = static_cast<unsigned short>(window.rows),
          .ws_col = static_cast<unsigned short>(window.columns),
          .ws_xpixel = 0,
          .ws_ypixel = 0};
}

}  // namespace

TerminalProgram::TerminalProgram(const Words& arguments, Window window, Surroundings surroundings)
    : end_(std::chrono::steady_clock::now() + surroundings.timeout) {
  auto& environment = surroundings.environment;
  environment.insert(environment.begin(), {{"TERM", "xterm"}, {"LC_ALL", "C.UTF-8"}});
  winsize size = size_of(window);
  child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  if (child_ == 0) {
    execute_program(arguments, surroundings);
  }
  if (child_ < 0) {
    throw std::runtime_error("no pseudo-terminal");
  }
}

TerminalProgram::~TerminalProgram() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(terminal_);
}

bool TerminalProgram::read_more() {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      end_ - std::chrono::steady_clock::now());
  pollfd waiting = {.fd = terminal_, .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
    ADD_FAILURE() << "the program did not end in time; it wrote:\n" << written_;
    signal(SIGKILL);
    return false;
  }
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(terminal_, buffer.data(), buffer.size());
  written_.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;  // no one holds the other side any more: EIO
}

bool TerminalProgram::read_until(const std::string& text) {
  std::size_t at = written_.find(text, seen_);
  for (; at == std::string::npos; at = written_.find(text, seen_)) {
    if (!read_more()) {
      ADD_FAILURE() << "'" << text << "' was expected in what the program wrote:\n" << written_;
      return false;
    }
  }
  seen_ = at + text.size();
  return true;
}

bool TerminalProgram::await_editing() const {
  termios state{};
  while (::tcgetattr(terminal_, &state) == 0 && (state.c_lflag & ICANON) != 0) {
    if (std::chrono::steady_clock::now() > end_) {
      ADD_FAILURE() << "the program leaves the editing of lines to the terminal";
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void TerminalProgram::type(const std::string& keys) const {
  ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), std::ssize(keys));
}

void TerminalProgram::resize(Window window) const {
  const winsize size = size_of(window);
  ASSERT_EQ(::ioctl(terminal_, TIOCSWINSZ, &size), 0);
}

void TerminalProgram::signal(int number) const {
  ::kill(child_, number);
}

int TerminalProgram::wait() {
  while (read_more()) {
  }
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

namespace {

// The text without what sets colours: ESC [ numbers m.
std::string without_colours(std::string text) {
  for (std::size_t at = text.find("\x1b["); at != std::string::npos; at = text.find("\x1b[", at)) {
    const std::size_t end = text.find_first_not_of("0123456789;", at + 2);
    if (end != std::string::npos && text[end] == 'm') {
      text.erase(at, end + 1 - at);
    } else {
      ++at;
    }
  }
  return text;
}

}  // namespace

std::string written_on_terminal(const Words& arguments, int columns, Surroundings surroundings) {
  TerminalProgram program(arguments, {.columns = columns}, std::move(surroundings));
  EXPECT_EQ(program.wait(), 0) << program.written();
  std::string text = program.written();
  std::erase(text, '\r');
  return text;
}

std::vector<std::string> drawn_lines(const std::string& written) {
  std::vector<std::string> lines;
  const std::string plain = without_colours(written);
  for (std::string_view rest = plain; !rest.empty();) {
    // What ends a line, or begins it anew.
    std::size_t begin = rest.size();
    std::size_t size = 0;
    for (const std::string_view end : {"\r\n", "\r\x1b[K", "\n"}) {
      if (const std::size_t found = rest.find(end); found < begin) {
        begin = found;
        size = end.size();
      }
    }
    lines.emplace_back(rest.substr(0, begin));
    rest.remove_prefix(begin + size);
  }
  for (const std::string& line : lines) {
    for (const char character : line) {
      if (static_cast<unsigned char>(character) < ' ') {
        ADD_FAILURE() << "a command to the terminal in: " << testing::PrintToString(line);
      }
    }
  }
  return lines;
}

}  // namespace lmpo

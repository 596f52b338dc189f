#include "base/status_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <system_error>

#include "base/standard_streams.h"
#include "base/terminal.h"

namespace lmpo {
namespace {

// What is on the screen now.
struct Shown {
  std::mutex mutex;
  const StatusLine* owner = nullptr;
  std::string text;
};

Shown& shown() {
  static Shown instance;
  return instance;
}

void erase_line() {
  std::fputs("\r\x1b[K", stderr);
}

}  // namespace

StatusLine::StatusLine(bool wanted) : visible_(wanted && can_redraw(STDERR_FILENO)) {}

StatusLine::~StatusLine() {
  clear();
}

void StatusLine::show(std::string text) {
  if (!visible_) {
    return;
  }
  Shown& screen = shown();
  const std::lock_guard lock(screen.mutex);
  screen.owner = this;
  screen.text = std::move(text);
  erase_line();
  std::fputs(screen.text.c_str(), stderr);
  std::fflush(stderr);
}

void StatusLine::clear() {
  Shown& screen = shown();
  const std::lock_guard lock(screen.mutex);
  if (screen.owner == this) {
    screen.owner = nullptr;
    screen.text.clear();
    erase_line();
    std::fflush(stderr);
  }
}

void above_status_line(const std::function<void()>& write) {
  Shown& screen = shown();
  const std::lock_guard lock(screen.mutex);
  if (screen.owner != nullptr) {
    erase_line();
  }
  try {
    write();
  } catch (const std::system_error&) {
    // fmt's way to say that nothing could be written: the terminal is closed, the disk full.
  }
  if (screen.owner != nullptr) {
    std::fputs(screen.text.c_str(), stderr);
  }
  std::fflush(stderr);
}

void print_line(std::string_view text) {
  above_status_line([&] { put_on_standard_error(std::string(text) + "\n"); });
}

}  // namespace lmpo

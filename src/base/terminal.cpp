#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lmpo {
namespace {

constexpr int kNarrowest = 20;

int columns_of(const char* variable) {
  const char* text = std::getenv(variable);
  const long value = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return static_cast<int>(std::clamp(value, 0L, 10'000L));
}

}  // namespace

Terminal Terminal::standard_output() {
  Terminal terminal;
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  terminal.colours = is_terminal && std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (const int given = columns_of("COLUMNS"); given > 0) {
    terminal.columns = given;
    terminal.wraps = true;
  } else if (is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = size.ws_col;
    terminal.wraps = true;
  }
  terminal.columns = std::max(terminal.columns, kNarrowest);
  return terminal;
}

}  // namespace lmpo

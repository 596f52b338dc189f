#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

namespace lmpo {
namespace {

constexpr int kNarrowest = 20;

int columns_of(const char* variable) {
  const char* text = std::getenv(variable);
  const long value = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return static_cast<int>(std::clamp(value, 0L, 10'000L));
}

}  // namespace

bool is_terminal(int descriptor) {
  return ::isatty(descriptor) == 1;
}

int terminal_columns(int descriptor) {
  winsize size{};
  return is_terminal(descriptor) && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool has_colours(int descriptor) {
  return is_terminal(descriptor) && std::getenv("NO_COLOR") == nullptr;
}

bool can_redraw(int descriptor) {
  const char* kind = std::getenv("TERM");
  return is_terminal(descriptor) && (kind == nullptr || std::string_view(kind) != "dumb");
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
      continue;
    }
    std::string text = value;
    std::ranges::transform(text, text.begin(), [](unsigned char letter) {
      return static_cast<char>(std::tolower(letter));
    });
    return text.ends_with("utf-8") || text.ends_with("utf8");
  }
  return false;
}

Terminal Terminal::standard_output() {
  Terminal terminal;
  terminal.colours = has_colours(STDOUT_FILENO);
  const int given = columns_of("COLUMNS");
  if (const int columns = given > 0 ? given : terminal_columns(STDOUT_FILENO); columns > 0) {
    terminal.columns = columns;
    terminal.wraps = true;
  }
  terminal.columns = std::max(terminal.columns, kNarrowest);
  return terminal;
}

}  // namespace lmpo

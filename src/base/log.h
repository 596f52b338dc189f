// Messages for a person, on standard error; results go to standard output. Thread-safe. Colours are
// used only on a terminal and without NO_COLOR.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace lmpo {

enum class LogLevel { debug, info, warning, error };

// Messages below this level are dropped. Default: info.
void set_log_level(LogLevel level);
void log_message(LogLevel level, std::string_view message);

template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lmpo

#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "base/status_line.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    const bool plain = std::getenv("NO_COLOR") != nullptr;
    const auto mode = plain ? spdlog::color_mode::never : spdlog::color_mode::automatic;
    auto created = std::make_shared<spdlog::logger>(
        "lmpo", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(mode));
    created->set_pattern("%^%l%$: %v");
    return created;
  }();
  return *instance;
}

spdlog::level::level_enum translate(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_log_level(LogLevel level) {
  logger().set_level(translate(level));
}

void log_message(LogLevel level, std::string_view message) {
  // A message quotes names and content of files, which must not command the terminal.
  above_status_line(
      [&] { logger().log(translate(level), "{}", printable(message, LineEnds::keep)); });
}

}  // namespace lmpo

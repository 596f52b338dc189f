#include "text/template_date.h"

#include <fmt/chrono.h>

#include "base/error.h"
#include "base/file.h"
#include "text/text_model.h"

namespace lmpo {

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:%Y-%m-%d}", local);
}

std::time_t time_of_date(const std::string& date) {
  std::tm day{};
  const char* end = strptime(date.c_str(), "%Y-%m-%d", &day);
  if (end == nullptr || *end != '\0') {
    user_error("template_date: '{}' is not a date; YYYY-MM-DD was expected", date);
  }
  day.tm_hour = 12;
  day.tm_isdst = -1;
  return std::mktime(&day);
}

bool template_writes_date(const TextOptions& options) {
  const auto asks = [](const std::string& text) {
    return text.find("strftime_now") != std::string::npos;
  };
  if (options.template_text) {
    return asks(*options.template_text);
  }
  for (const char* name : {"chat_template.jinja", "tokenizer_config.json"}) {
    const fs::path file = options.folder / name;
    if (fs::is_regular_file(file) && asks(read_file(file))) {
      return true;
    }
  }
  return false;
}

}  // namespace lmpo

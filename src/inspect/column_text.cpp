#include "inspect/column_text.h"

#include "base/utf8.h"
#include "inspect/terminal.h"

namespace lmpo {

std::string ColumnText::take(std::size_t size, std::size_t skipped) {
  std::string line = rest_.substr(0, size);
  rest_.erase(0, size + skipped);
  return line;
}

std::optional<std::string> ColumnText::take_line() {
  std::int64_t width = 0;
  std::size_t space = 0;  // the last one
  for (std::size_t at = 0; at < rest_.size(); at += utf8_size(rest_[at])) {
    const std::string_view character = std::string_view(rest_).substr(at, utf8_size(rest_[at]));
    if (character == "\n") {
      return take(at, 1);
    }
    width += display_width(character);
    if (character == " " && at > 0) {
      space = at;
    }
    if (width > width_ && at > 0) {
      return space > 0 ? take(space, 1) : take(at, 0);
    }
  }
  return finished_ && !rest_.empty() ? std::optional(take(rest_.size(), 0)) : std::nullopt;
}

}  // namespace lmpo

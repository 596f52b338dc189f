// Breaks text that arrives piece by piece into lines of a column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmpo {

// Breaks between words, and inside words that are wider than the column. Text must be printable
// (base/utf8.h) but for its line ends. Not thread-safe.
class ColumnText {
 public:
  explicit ColumnText(std::int64_t width) : width_(width) {}

  void add(std::string_view text) { rest_ += text; }
  void finish() { finished_ = true; }
  // The next line, at most `width` columns wide, once later text cannot change it.
  std::optional<std::string> take_line();

 private:
  std::string take(std::size_t size, std::size_t skipped);

  std::int64_t width_;
  std::string rest_;
  bool finished_ = false;
};

}  // namespace lmpo

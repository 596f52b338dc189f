// Text that comes piece by piece, in lines of a column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmpo {

// Breaks between words, and within those that are wider than the column. Text must be printable
// (base/utf8.h), its line ends aside. Not thread-safe.
class ColumnText {
 public:
  explicit ColumnText(std::int64_t width) : width_(width) {}

  void add(std::string_view text) { rest_ += text; }
  void finish() { finished_ = true; }
  // The next line, at most `width` columns wide, once nothing that may come can change it.
  std::optional<std::string> take_line();

 private:
  std::string take(std::size_t size, std::size_t skipped);

  std::int64_t width_;
  std::string rest_;
  bool finished_ = false;
};

}  // namespace lmpo

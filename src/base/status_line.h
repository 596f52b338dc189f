// The progress line at the end of standard error. Log messages and permanent lines appear above it.
// If there are several objects, the one that was shown last is visible. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace lmpo {

class StatusLine {
 public:
  // Never shows anything if not `wanted`, or if standard error is not a terminal that can redraw.
  explicit StatusLine(bool wanted);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool is_visible() const { return visible_; }
  // Replaces the shown text, which must not be wider than the terminal.
  void show(std::string text);
  void clear();

 private:
  bool visible_;
};

// Removes the line, calls `write`, and shows the line again below.
void above_status_line(const std::function<void()>& write);
// Prints a line on standard error, above the progress line. If it cannot be written (terminal
// closed, disk full), it is lost.
void print_line(std::string_view text);

}  // namespace lmpo

// The moving line at the end of standard error. Messages of the log, and lines that stay, appear
// above it. Of several objects the one that showed last is seen. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace lmpo {

class StatusLine {
 public:
  // Shows nothing, ever, where it is not `wanted` or standard error is no terminal that can redraw.
  explicit StatusLine(bool wanted);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  bool is_visible() const { return visible_; }
  // Replaces what is shown. Must not be wider than the terminal.
  void show(std::string text);
  void clear();

 private:
  bool visible_;
};

// Takes the line away, calls `write`, and shows it again below what was written.
void above_status_line(const std::function<void()>& write);
// A line on standard error, above the moving one. What cannot be written (a terminal that is closed,
// a full disk) is lost: no message is worth a program's work.
void print_line(std::string_view text);

}  // namespace lmpo

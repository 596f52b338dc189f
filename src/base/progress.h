// Progress of a long task on standard error: a moving bar on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/status_line.h"

namespace lmpo {

struct ProgressOptions {
  std::string what = {};               // "evaluation"; shown if there is room
  std::string unit = "pairs";          // counted per second
  std::int64_t begin = 0;              // the step a resumed run starts from
  std::int64_t total = 0;              // steps; 0: unknown
  bool bar = true;                     // show the moving line on a terminal
  std::chrono::milliseconds delay{0};  // show it only for tasks that take longer
  // Without a moving line, print a plain line after this time without any other.
  std::chrono::milliseconds silence{60'000};
};

// For tasks that are usually over before anyone wonders.
inline constexpr std::chrono::milliseconds kBarDelay{700};

// A part of the moving line. If there is no room, the part of the highest rank is dropped first; rank
// 0 stays.
struct ProgressPart {
  std::string text;  // every character is one column wide
  int rank;
};

// While a Progress lives inside the life of another, the outer one prints no plain lines. A thread
// of its own prints; the functions are called from one thread.
class Progress {
 public:
  // Shows the line after the delay.
  explicit Progress(ProgressOptions options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A step is done, with this many more examples and tokens. `notes` are shown in the moving line,
  // the most important first.
  void step(std::int64_t examples, std::int64_t tokens, std::vector<std::string> notes = {});
  // What the step is doing: "pack 3/16". Shown until the next step.
  void within(std::string what);
  // Prints a line that stays. Errors in printing are ignored.
  void line(std::string_view text);
  // The same for fields, on several lines if they need more than columns().
  void fields(std::span<const std::string> fields);
  // Width of a line that stays: that of the terminal, at least 80; 120 in a file.
  std::int64_t columns() const;

  double elapsed_seconds() const;
  double remaining_seconds() const;
  double examples_per_second() const;
  double tokens_per_second() const;
  // "12.3 pairs/s", "4512 tokens/s", "0:01:23 left"
  std::vector<std::string> speed() const;

 private:
  using Clock = std::chrono::steady_clock;

  void draw();  // if it is time to
  std::vector<ProgressPart> parts() const;
  std::string text(int columns) const;
  void speak(const std::stop_token& stop);

  ProgressOptions options_;
  StatusLine line_;
  std::int64_t step_;
  std::int64_t examples_ = 0;
  std::int64_t tokens_ = 0;
  std::vector<std::string> notes_;
  std::string within_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_{};

  // speaker_ prints when no step does. The mutex guards what is above.
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  Clock::time_point spoken_ = start_;
  const Progress* outer_ = nullptr;  // silent while this one lives
  std::jthread speaker_;
};

// How the bar is drawn.
struct BarStyle {
  bool utf8 = true;
  bool colours = false;
};

// The line, at most `columns` wide: the parts in order, with a bar after the first `before_bar` of
// them. The bar shows `share` (0 to 1) in the room that is left; no bar if share is negative.
std::string progress_line(std::vector<ProgressPart> parts, std::size_t before_bar, double share,
                          int columns, const BarStyle& style);

// Fields separated by two spaces, in lines of at most `columns`. Lines break between fields; all but
// the first are indented.
std::string wrapped_fields(std::span<const std::string> fields, std::int64_t columns);

// "0:01:23", as Python's timedelta.
std::string readable_time(double seconds);

}  // namespace lmpo

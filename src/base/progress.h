// What a person sees of something that takes its time, on standard error: a bar that moves on a
// terminal, plain lines elsewhere.
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
  std::string what = {};               // "evaluation"; shown where there is room
  std::string unit = "pairs";          // what is counted a second
  std::int64_t begin = 0;              // the step a resumed run starts from
  std::int64_t total = 0;              // steps; 0: nobody knows
  bool bar = true;                     // show the moving line if this is a terminal
  std::chrono::milliseconds delay{0};  // before it is shown: what is over sooner needs no bar
  // Without a moving line, a plain line says where it is after so long without another one.
  std::chrono::milliseconds silence{60'000};
};

// Long enough to wonder what the program is doing.
inline constexpr std::chrono::milliseconds kBarDelay{700};

// A part of the moving line. Where there is no room, that of the highest rank goes first; rank 0
// stays.
struct ProgressPart {
  std::string text;  // every character is one column wide
  int rank;
};

class Progress {
 public:
  // Shows the line at once, but for the delay.
  explicit Progress(ProgressOptions options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A step is done, with so many more examples and tokens. `notes` stand in the moving line, the
  // most important first.
  void step(std::int64_t examples, std::int64_t tokens, std::vector<std::string> notes = {});
  // What is being done within the step: "pack 3/16". The next step takes it away.
  void within(std::string what);
  // A line that stays. One that cannot be written is lost, whatever the reason.
  void line(std::string_view text);
  // The same of fields; where they need more than columns(), it is several lines.
  void fields(std::span<const std::string> fields);
  // How wide a line that stays should be: as the terminal, but for a very narrow one, where it
  // takes several lines; in a file as is easy to read.
  std::int64_t columns() const;

  double elapsed_seconds() const;
  double remaining_seconds() const;
  double examples_per_second() const;
  double tokens_per_second() const;
  // "12.3 pairs/s", "4512 tokens/s", "0:01:23 left"
  std::vector<std::string> speed() const;

 private:
  using Clock = std::chrono::steady_clock;

  void draw();  // where it is due
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

  // A thread speaks where no step does. What is above changes under the mutex.
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  Clock::time_point spoken_ = start_;
  const Progress* outer_ = nullptr;  // of which this is a part, and which is silent meanwhile
  std::jthread speaker_;
};

// How the bar is drawn.
struct BarStyle {
  bool utf8 = true;
  bool colours = false;
};

// The line, at most `columns` wide: the parts in their order and, after the first `before_bar` of
// them, a bar of `share` (0 to 1) in what room is left for it; none where share is negative.
std::string progress_line(std::vector<ProgressPart> parts, std::size_t before_bar, double share,
                          int columns, const BarStyle& style);

// Fields with two spaces between them, in lines of at most `columns` that are broken between two
// fields; all but the first are indented.
std::string wrapped_fields(std::span<const std::string> fields, std::int64_t columns);

// "0:01:23", as Python's timedelta.
std::string readable_time(double seconds);

}  // namespace lmpo

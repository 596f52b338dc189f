#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/signals.h"
#include "base/terminal.h"

namespace lmpo {
namespace {

constexpr std::int64_t kWidestBar = 30;
constexpr std::int64_t kNarrowestBar = 6;
constexpr int kUnknownWidth = 80;  // of a terminal that does not say
constexpr std::int64_t kFileWidth = 120;
constexpr std::chrono::milliseconds kRedraw{100};

std::atomic<const Progress*> innermost = nullptr;

// The width of the parts with a space after each.
std::int64_t width_of(const std::vector<ProgressPart>& parts) {
  std::int64_t width = 0;
  for (const ProgressPart& part : parts) {
    width += std::ssize(part.text) + 1;
  }
  return width;
}

// Three digits, never an exponent.
std::string rate_text(double rate) {
  return rate < 100 ? fmt::format("{:#.3g}", rate) : fmt::format("{:.0f}", rate);
}

std::string repeated(std::string_view text, std::int64_t times) {
  std::string result;
  for (std::int64_t i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

std::string bar_of(double share, std::int64_t width, const BarStyle& style) {
  const auto filled =
      static_cast<std::int64_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  const std::string done = repeated(style.utf8 ? "━" : "#", filled);
  const std::string left = repeated(style.utf8 ? "─" : "-", width - filled);
  return style.colours ? fmt::format("\x1b[32m{}\x1b[0;2m{}\x1b[0m", done, left) : done + left;
}

}  // namespace

std::string readable_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12));
  const std::int64_t days = whole / 86400;
  const std::string day_text =
      days == 0 ? "" : fmt::format("{} day{}, ", days, days == 1 ? "" : "s");
  return fmt::format("{}{}:{:02}:{:02}", day_text, whole / 3600 % 24, whole / 60 % 60, whole % 60);
}

std::string wrapped_fields(std::span<const std::string> fields, std::int64_t columns) {
  constexpr std::string_view kBetween = "  ";
  constexpr std::string_view kIndent = "    ";
  std::string text;
  std::int64_t width = 0;  // of the last line
  for (const std::string& field : fields) {
    const std::int64_t longer = width + std::ssize(kBetween) + std::ssize(field);
    const bool is_first = text.empty();
    const bool fits = longer <= columns;
    text += is_first ? "" : fits ? std::string(kBetween) : "\n" + std::string(kIndent);
    text += field;
    width = is_first ? std::ssize(field) : fits ? longer : std::ssize(kIndent) + std::ssize(field);
  }
  return text;
}

std::string progress_line(std::vector<ProgressPart> parts, std::size_t before_bar, double share,
                          int columns, const BarStyle& style) {
  const bool with_bar = share >= 0;
  const std::int64_t least = with_bar ? kNarrowestBar + 1 : 0;
  // Some terminals start a new line once the last column is written.
  const std::int64_t room = columns - 1;
  while (width_of(parts) - 1 + least > room) {
    const auto last = std::ranges::max_element(parts, {}, &ProgressPart::rank);
    if (last == parts.end() || last->rank == 0) {
      break;
    }
    before_bar -= static_cast<std::size_t>(last - parts.begin()) < before_bar ? 1 : 0;
    parts.erase(last);
  }
  const std::int64_t bar = std::min(kWidestBar, room - width_of(parts));
  std::string line;
  const auto add = [&](const std::string& text) { line += line.empty() ? text : " " + text; };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    add(parts[i].text);
    if (i + 1 == before_bar && with_bar && bar >= kNarrowestBar) {
      add(bar_of(share, bar, style));
    }
  }
  if (width_of(parts) - 1 > room) {  // not even what must stay
    line.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, room)));
  }
  return line;
}

Progress::Progress(ProgressOptions options)
    : options_(std::move(options)), line_(options_.bar), step_(options_.begin) {
  outer_ = innermost.exchange(this);
  if (line_.is_visible() && options_.delay.count() == 0) {
    draw();
    drawn_ = {};  // the first step is drawn however soon it comes
  }
  speaker_ = std::jthread([this](const std::stop_token& stop) {
    block_signals();
    speak(stop);
  });
}

Progress::~Progress() {
  innermost = outer_;
}

void Progress::step(std::int64_t examples, std::int64_t tokens, std::vector<std::string> notes) {
  {
    const std::lock_guard lock(mutex_);
    ++step_;
    examples_ += examples;
    tokens_ += tokens;
    notes_ = std::move(notes);
    within_.clear();
  }
  draw();
}

void Progress::within(std::string what) {
  {
    const std::lock_guard lock(mutex_);
    within_ = std::move(what);
  }
  draw();
}

void Progress::draw() {
  std::unique_lock lock(mutex_);
  const auto now = Clock::now();
  if (!line_.is_visible() || now - start_ < options_.delay || now - drawn_ < kRedraw) {
    return;
  }
  drawn_ = now;
  const int columns = terminal_columns(STDERR_FILENO);
  std::string shown = text(columns > 0 ? columns : kUnknownWidth);
  lock.unlock();
  line_.show(std::move(shown));
}

// Draws the moving line after the delay, even if no step has ended by then. Without a moving line,
// prints a plain line after each silence.
void Progress::speak(const std::stop_token& stop) {
  const auto never = [] { return false; };
  std::unique_lock lock(mutex_);
  if (line_.is_visible()) {
    stopped_.wait_until(lock, stop, start_ + options_.delay, never);
    lock.unlock();
    if (!stop.stop_requested() && options_.delay.count() > 0) {
      draw();
    }
    return;
  }
  while (!stop.stop_requested()) {
    stopped_.wait_until(lock, stop, spoken_ + options_.silence, never);
    if (stop.stop_requested() || Clock::now() - spoken_ < options_.silence) {
      continue;
    }
    spoken_ = Clock::now();
    if (innermost == this) {
      const std::string said = text(kFileWidth);
      lock.unlock();
      print_line(said);
      lock.lock();
    }
  }
}

void Progress::line(std::string_view text) {
  print_line(text);
  const std::lock_guard lock(mutex_);
  spoken_ = Clock::now();
}

void Progress::fields(std::span<const std::string> fields) {
  line(wrapped_fields(fields, columns()));
}

std::int64_t Progress::columns() const {
  const int columns = terminal_columns(STDERR_FILENO);
  return columns > 0 ? std::max<std::int64_t>(columns, kUnknownWidth) : kFileWidth;
}

double Progress::elapsed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double Progress::remaining_seconds() const {
  const auto done = static_cast<double>(std::max<std::int64_t>(1, step_ - options_.begin));
  return elapsed_seconds() / done * static_cast<double>(options_.total - step_);
}

double Progress::examples_per_second() const {
  return static_cast<double>(examples_) / std::max(1e-9, elapsed_seconds());
}

double Progress::tokens_per_second() const {
  return static_cast<double>(tokens_) / std::max(1e-9, elapsed_seconds());
}

std::vector<std::string> Progress::speed() const {
  return {fmt::format("{} {}/s", rate_text(examples_per_second()), options_.unit),
          fmt::format("{:.0f} tokens/s", tokens_per_second()),
          readable_time(remaining_seconds()) + " left"};
}

std::vector<ProgressPart> Progress::parts() const {
  const bool counted = options_.total > 0;
  std::vector<ProgressPart> parts;
  if (!options_.what.empty()) {
    parts.push_back({options_.what, counted ? 7 : 3});
  }
  parts.push_back({counted ? fmt::format("{}/{}", step_, options_.total)
                           : fmt::format("{} {}", step_, options_.unit),
                   0});
  if (!within_.empty()) {
    parts.push_back({within_, 3});
  }
  int rank = 3;  // of the first note; that of the second is beyond the speed
  for (const std::string& note : notes_) {
    parts.push_back({note, rank});
    rank = 5;
  }
  if (step_ == options_.begin) {
    return parts;  // nothing is known of the speed
  }
  parts.push_back({fmt::format("{} {}/s", rate_text(examples_per_second()), options_.unit), 4});
  if (tokens_ > 0) {
    parts.push_back({fmt::format("{:.0f} tokens/s", tokens_per_second()), 6});
  }
  if (counted) {
    parts.push_back({readable_time(remaining_seconds()) + " left", 2});
  }
  return parts;
}

std::string Progress::text(int columns) const {
  const bool counted = options_.total > 0;
  const bool bar = counted && line_.is_visible();
  const double share = bar ? static_cast<double>(step_) / static_cast<double>(options_.total) : -1;
  const std::size_t before_bar = options_.what.empty() ? 1 : 2;
  return progress_line(parts(), before_bar, share, columns,
                       {.utf8 = speaks_utf8(), .colours = has_colours(STDERR_FILENO)});
}

}  // namespace lmpo

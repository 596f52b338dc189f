#include "train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lmpo {
namespace {

constexpr int kBarWidth = 24;
constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

std::string readable_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e12));
  const std::int64_t days = whole / 86400;
  const std::string day_text =
      days == 0 ? "" : fmt::format("{} day{}, ", days, days == 1 ? "" : "s");
  return fmt::format("{}{}:{:02}:{:02}", day_text, whole / 3600 % 24, whole / 60 % 60, whole % 60);
}

Progress::Progress(std::int64_t begin, std::int64_t total, bool bar)
    : begin_(begin), step_(begin), total_(total), bar_(bar && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  clear();
}

void Progress::step(std::int64_t examples, std::int64_t tokens, std::string_view note) {
  ++step_;
  examples_ += examples;
  tokens_ += tokens;
  note_ = note;
  const auto now = std::chrono::steady_clock::now();
  if (bar_ && now - drawn_ >= kRedraw) {
    drawn_ = now;
    draw();
  }
}

void Progress::line(std::string_view text) {
  clear();
  fmt::print(stderr, "{}\n", text);
  if (bar_ && step_ < total_) {
    draw();
  }
}

double Progress::elapsed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double Progress::remaining_seconds() const {
  const auto done = static_cast<double>(std::max<std::int64_t>(1, step_ - begin_));
  return elapsed_seconds() / done * static_cast<double>(total_ - step_);
}

double Progress::examples_per_second() const {
  return static_cast<double>(examples_) / std::max(1e-9, elapsed_seconds());
}

double Progress::tokens_per_second() const {
  return static_cast<double>(tokens_) / std::max(1e-9, elapsed_seconds());
}

std::string Progress::speed() const {
  return fmt::format("{:#.3g} pairs/s, {:.0f} tokens/s, {} left", examples_per_second(),
                     tokens_per_second(), readable_time(remaining_seconds()));
}

void Progress::clear() {
  if (bar_) {
    fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
  }
}

void Progress::draw() {
  const auto filled = static_cast<int>(kBarWidth * step_ / std::max<std::int64_t>(1, total_));
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) {
    bar += i < filled ? "━" : "─";
  }
  fmt::print(stderr, "\r\x1b[K{}/{} {} {}  {}", step_, total_, bar, speed(), note_);
  std::fflush(stderr);
}

}  // namespace lmpo

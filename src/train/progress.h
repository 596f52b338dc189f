// What a person sees of a run, on standard error: a line that moves on a terminal, plain lines
// elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace lmpo {

class Progress {
 public:
  // `begin`: the step a resumed run starts from. `bar`: show the moving line if this is a terminal.
  Progress(std::int64_t begin, std::int64_t total, bool bar);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // A step is done, with so many more examples and tokens. `note` ends the moving line.
  void step(std::int64_t examples, std::int64_t tokens, std::string_view note);
  // A line that stays.
  void line(std::string_view text);

  double elapsed_seconds() const;
  double remaining_seconds() const;
  double examples_per_second() const;
  double tokens_per_second() const;
  // "12.3 pairs/s, 4512 tokens/s, 0:01:23 left"
  std::string speed() const;

 private:
  void clear();
  void draw();

  std::int64_t begin_;
  std::int64_t step_;
  std::int64_t total_;
  bool bar_;
  std::int64_t examples_ = 0;
  std::int64_t tokens_ = 0;
  std::string note_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
};

// "0:01:23", as Python's timedelta.
std::string readable_time(double seconds);

}  // namespace lmpo

// What one rendering may use. Whoever makes, reads or compares values charges it here, so that no
// template takes the machine's time or memory. A rendering's budget is that of its thread; without
// one, as while a template is parsed, nothing is charged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace lmpo::jinja {

// The largest text and the longest list a template may make.
inline constexpr std::size_t kMostBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMostItems = 1 << 20;
// All values a template has made and still holds.
inline constexpr std::size_t kMostMemory = std::size_t{256} << 20;
// Work is counted in units of about a nanosecond: a byte that is copied is one.
inline constexpr std::size_t kMostWork = 3'000'000'000;
inline constexpr std::size_t kStepWork = 500;      // a statement, an expression, a call
inline constexpr std::size_t kItemWork = 100;      // an item that a function goes over
inline constexpr std::size_t kCharacterWork = 16;  // a character that is looked at by itself

class Budget {
 public:
  // It is the thread's until it ends.
  Budget();
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  static Budget* current();
  // What was charged until now was the input: only what follows is limited.
  void begin();
  // Both throw TemplateError.
  void work(std::size_t units);
  void take(std::size_t bytes);
  void give_back(std::size_t bytes) { memory_ -= bytes; }
  bool limits() const { return limits_; }

 private:
  Budget* around_;
  bool limits_ = false;
  std::size_t work_ = 0;
  std::size_t memory_ = 0;
  std::size_t input_ = 0;
};

void charge_work(std::size_t units);

// Memory that is charged as long as this lives.
class Charge {
 public:
  explicit Charge(std::size_t bytes);
  ~Charge();
  Charge(Charge&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&&) = delete;
  void grow(std::size_t bytes);

 private:
  Budget* budget_;
  std::size_t bytes_ = 0;
};

// Builds a text piece by piece. TemplateError where it grows beyond kMostBytes.
class TextWriter {
 public:
  // `what` is named in the error.
  explicit TextWriter(const char* what) : what_(what) {}
  void add(std::string_view part);
  void add(std::size_t count, std::string_view part);
  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  const char* what_;
  std::string text_;
};

}  // namespace lmpo::jinja

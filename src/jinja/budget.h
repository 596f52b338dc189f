// What one rendering may use, so that no template takes the machine's time or memory: whoever makes,
// reads or compares values charges it here. While a template renders, its budget is the thread's.
// While a template is parsed there is none, and nothing is charged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace lmpo::jinja {

struct Limits {
  std::size_t bytes = std::size_t{64} << 20;    // the largest text a template may make
  std::size_t items = std::size_t{1} << 20;     // its longest list
  std::size_t memory = std::size_t{256} << 20;  // bytes of all values that it made and still holds
  std::size_t work = 3'000'000'000;  // units of about a nanosecond: to copy a byte is one
};

inline constexpr std::size_t kStepWork = 500;      // a statement, an expression, a call
inline constexpr std::size_t kItemWork = 100;      // an item that a function goes over
inline constexpr std::size_t kCharacterWork = 16;  // a character that is looked at by itself

class Budget {
 public:
  // The thread's, for the object's life.
  explicit Budget(const Limits& limits);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  static Budget* current();
  // What was charged so far was the input; what follows is limited.
  void begin();
  // Both throw TemplateError beyond the limit.
  void work(std::size_t units);
  void take(std::size_t bytes);
  void give_back(std::size_t bytes) { memory_ -= bytes; }
  bool has_begun() const { return has_begun_; }
  const Limits& limits() const { return limits_; }

 private:
  Limits limits_;
  Budget* around_;
  bool has_begun_ = false;
  std::size_t work_ = 0;
  std::size_t memory_ = 0;
  std::size_t input_ = 0;
};

void charge_work(std::size_t units);
// Those of the thread's budget, or the usual ones where there is none.
const Limits& limits();

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

// Builds a text piece by piece. TemplateError where it grows beyond limits().bytes.
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

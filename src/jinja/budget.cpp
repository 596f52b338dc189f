#include "jinja/budget.h"

#include <utility>

#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

constinit thread_local Budget* budget_of_thread = nullptr;

}  // namespace

Budget::Budget(const Limits& limits)
    : limits_(limits), around_(std::exchange(budget_of_thread, this)) {}

Budget::~Budget() {
  budget_of_thread = around_;
}

Budget* Budget::current() {
  return budget_of_thread;
}

void Budget::begin() {
  has_begun_ = true;
  work_ = 0;
  input_ = memory_;
}

void Budget::work(std::size_t units) {
  work_ += units;
  if (has_begun_ && work_ > limits_.work) {
    fail("the template runs for too long");
  }
}

void Budget::take(std::size_t bytes) {
  if (has_begun_ && memory_ + bytes > input_ + limits_.memory) {
    fail("the template needs more than {} MB of memory", limits_.memory >> 20);
  }
  memory_ += bytes;
}

void charge_work(std::size_t units) {
  if (Budget* budget = budget_of_thread) {
    budget->work(units);
  }
}

const Limits& limits() {
  static constexpr Limits kUsual;
  return budget_of_thread != nullptr ? budget_of_thread->limits() : kUsual;
}

Charge::Charge(std::size_t bytes) : budget_(budget_of_thread) {
  grow(bytes);
}

Charge::~Charge() {
  if (budget_ != nullptr) {
    budget_->give_back(bytes_);
  }
}

void Charge::grow(std::size_t bytes) {
  if (budget_ != nullptr) {
    budget_->take(bytes);
    bytes_ += bytes;
  }
}

void TextWriter::add(std::string_view part) {
  if (part.size() > limits().bytes - text_.size()) {
    fail("{}: the result is too large: more than {} bytes", what_, limits().bytes);
  }
  charge_work(part.size());
  text_ += part;
}

void TextWriter::add(std::size_t count, std::string_view part) {
  if (part.empty()) {
    return;
  }
  if (count > (limits().bytes - text_.size()) / part.size()) {
    fail("{}: the result is too large: more than {} bytes", what_, limits().bytes);
  }
  charge_work(count * part.size());
  text_.reserve(text_.size() + count * part.size());
  for (std::size_t i = 0; i < count; ++i) {
    text_ += part;
  }
}

}  // namespace lmpo::jinja

// The three kinds of failure:                                                       exit code
//
//   UserError     a mistake in the input; the message names file, line or key,       2
//                 what was expected, and what to do
//   MachineError  the machine failed: disk full, no memory; no data is lost          1
//   LMPO_CHECK    a broken invariant, that is, a bug: std::logic_error with its line  1
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace lmpo {

class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class MachineError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <typename... Args>
[[noreturn]] void user_error(fmt::format_string<Args...> format, Args&&... args) {
  throw UserError(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void machine_error(fmt::format_string<Args...> format, Args&&... args) {
  throw MachineError(fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void broken_invariant(const char* condition, const char* file, int line);

}  // namespace lmpo

// Checked in every build, so that a wrong shape never becomes a wrong number.
#define LMPO_CHECK(condition) \
  ((condition) ? void(0) : ::lmpo::broken_invariant(#condition, __FILE__, __LINE__))

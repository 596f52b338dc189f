#include "base/signal_stack.h"

#include <csignal>
#include <cstddef>
#include <memory>

namespace lmpo {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;

class SignalStack {
 public:
  SignalStack() {
    stack_t present{};
    if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) != 0) {
      memory_ = std::make_unique<char[]>(kStackBytes);
      const stack_t own{.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kStackBytes};
      ::sigaltstack(&own, nullptr);
    }
  }
  ~SignalStack() {
    if (memory_) {
      const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
      ::sigaltstack(&none, nullptr);
    }
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  std::unique_ptr<char[]> memory_;
};

}  // namespace

void use_signal_stack() {
  thread_local const SignalStack stack;
}

}  // namespace lmpo

#include "base/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/error.h"

namespace lmpo {
namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// The next pending signal of the set; 0: none.
int take_pending(const sigset_t& set) {
  const timespec no_time{};
  const int signal = ::sigtimedwait(&set, nullptr, &no_time);
  return signal > 0 ? signal : 0;
}

// Some libraries start threads when they are loaded (OpenBLAS). Such a thread would receive the signals
// that all others block. So signals are blocked before any library starts, and the main thread's mask is
// restored before main.
sigset_t mask_at_start;

void block_before_libraries() {
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_at_start);
  block_signals();
}

[[gnu::constructor]] void restore_after_libraries() {
  ::pthread_sigmask(SIG_SETMASK, &mask_at_start, nullptr);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const run_first)() = block_before_libraries;

}  // namespace

void end_program_on(const std::vector<int>& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    std::signal(signal, [](int) { ::_exit(kStoppedBySignal); });
    sigaddset(&set, signal);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(const std::vector<int>& signals, Answer answer)
    : answer_(std::move(answer)) {
  sigemptyset(&set_);
  for (const int signal : signals) {
    if (signal != SIGHUP || !is_ignored(SIGHUP)) {
      sigaddset(&set_, signal);
    }
  }
  ended_ = ::eventfd(0, EFD_CLOEXEC);
  const int incoming = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ended_ < 0 || incoming < 0) {
    machine_error("cannot handle signals: no more file descriptors");
  }
  for (int signal = 0; signal < NSIG; ++signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    actions_.push_back(action);
  }
  // The new thread starts with all signals blocked; the calling thread blocks those it watches.
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before_);
  block_signals();
  thread_ = std::thread([this, incoming] { watch(incoming, ended_); });
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

void SignalWatch::watch(int signals, int ended) const {
  std::array<pollfd, 2> waiting = {{{.fd = signals, .events = POLLIN, .revents = 0},
                                    {.fd = ended, .events = POLLIN, .revents = 0}}};
  while (waiting[1].revents == 0) {
    ::poll(waiting.data(), waiting.size(), -1);
    signalfd_siginfo info{};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      answer_(static_cast<int>(info.ssi_signo));
    }
  }
  ::close(signals);
}

SignalWatch::~SignalWatch() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(ended_, &one, sizeof one);
  thread_.join();
  ::close(ended_);
  while (const int signal = take_pending(set_)) {
    answer_(signal);
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigismember(&set_, signal) == 1) {
      ::sigaction(signal, &actions_[static_cast<std::size_t>(signal)], nullptr);
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace lmpo

// Signals, handled by a thread of their own.
//
// No handler may run on a thread that computes: generated code of matrix products moves the stack
// pointer away from the stack, and the signal's frame would overwrite memory there. So the signals
// that a command handles are blocked in every thread that computes, and one thread reads them
// (signalfd).
#pragma once

#include <csignal>
#include <functional>
#include <thread>
#include <vector>

namespace lmpo {

// The exit code that shells report for a program ended by Ctrl-C.
inline constexpr int kStoppedBySignal = 130;

// Blocks every signal that a person or another program may send, in the calling thread and in
// threads that it starts later. Faults such as SIGSEGV are not blocked.
void block_signals();
// From now on these signals end the program at once with kStoppedBySignal. Call it from an answer
// of SignalWatch.
void end_program_on(const std::vector<int>& signals);

// Handles signals for the object's life. Create it before other threads, except the pool's
// (base/threads.h), which block all signals. If SIGHUP is ignored (nohup), it stays ignored.
class SignalWatch {
 public:
  using Answer = std::function<void(int signal)>;
  // `answer` runs on the watching thread, one call at a time.
  SignalWatch(const std::vector<int>& signals, Answer answer);
  // Handles signals that are still pending, then restores what the signals did before.
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void watch(int signals, int ended) const;

  Answer answer_;
  sigset_t set_{};
  sigset_t before_{};                      // the calling thread's mask
  std::vector<struct sigaction> actions_;  // what the signals did, by number
  int ended_ = -1;                         // an eventfd that tells the thread to return
  std::thread thread_;
};

}  // namespace lmpo

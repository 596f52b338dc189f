// Signals, read by a thread of their own.
//
// No handler ever runs on a thread that computes: generated code of matrix products moves the stack
// pointer away from the stack, and a signal's frame would be written over whatever lies there. So
// the signals that a command answers are blocked in every thread that computes, and one thread reads
// them.
#pragma once

#include <csignal>
#include <functional>
#include <thread>
#include <vector>

namespace lmpo {

// What a shell reports for a program that Ctrl-C ended.
inline constexpr int kStoppedBySignal = 130;

// Blocks, in the calling thread and in those it starts from now on, every signal that a person or
// another program may send. Faults such as SIGSEGV are not among them.
void block_signals();
// From now on such a signal ends the program with kStoppedBySignal, whatever the program waits for.
// To be called by an answer of SignalWatch.
void end_program_on(const std::vector<int>& signals);

// Answers signals for the object's life. Made before other threads are, or the pool's threads
// (base/threads.h), which block all signals themselves. SIGHUP stays ignored where it is (nohup).
class SignalWatch {
 public:
  using Answer = std::function<void(int signal)>;
  // `answer` runs on the watching thread, one call at a time.
  SignalWatch(const std::vector<int>& signals, Answer answer);
  // Answers what has come meanwhile. The signals do again what they did before.
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

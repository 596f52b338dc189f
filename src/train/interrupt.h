// Signals as wishes that a program asks for where it can fulfil them: a run between two steps.
//
//   SIGINT, SIGTERM, SIGHUP  stop: finish the step, save, leave; a second SIGINT or SIGTERM ends the
//                            program at once. SIGHUP that is ignored (nohup) stays so.
//   SIGUSR1                  save a checkpoint and continue
//   SIGUSR2                  evaluate and continue
#pragma once

#include <atomic>
#include <string>

#include "base/signals.h"

namespace lmpo {

// Takes SIGINT, SIGTERM and SIGHUP for the object's life. One object at a time.
class InterruptWatch {
 public:
  // `answer` is said at once when the first of them comes.
  explicit InterruptWatch(std::string answer);

  bool interrupted() const { return interrupted_; }

 private:
  std::atomic<bool> interrupted_ = false;
  SignalWatch watch_;
};

// What a stop means for a training run, and what a person is told at once.
enum class StopMeans {
  end_at_once,     // nothing is trained yet
  save_and_end,    // after the step
  finish_and_end,  // the last step is done, and the model is being written
  nothing,         // the program ends by itself
};

enum class Wish { stop, save, evaluate };

// From now until the process ends, all signals of a training run are answered.
void watch_run_signals();
// After watch_run_signals a stop ends the program at once.
void set_stop(StopMeans meaning);
// Whether there was such a signal.
bool is_wished(Wish wish);
// The same, once for any number of signals.
bool take_wish(Wish wish);

}  // namespace lmpo

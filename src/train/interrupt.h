// Signals become wishes, which a training run looks at between two steps.
//
//   SIGINT, SIGTERM, SIGHUP  stop: finish the step, save, exit. A second SIGINT or SIGTERM ends the
//                            program at once. An ignored SIGHUP (nohup) stays ignored.
//   SIGUSR1                  save a checkpoint and continue
//   SIGUSR2                  evaluate and continue
#pragma once

#include <atomic>
#include <string>

#include "base/signals.h"

namespace lmpo {

// Answers SIGINT, SIGTERM and SIGHUP while the object lives. One object at a time.
class InterruptWatch {
 public:
  // The first of these signals logs `answer` at once.
  explicit InterruptWatch(std::string answer);

  bool interrupted() const { return interrupted_; }

 private:
  std::atomic<bool> interrupted_ = false;
  SignalWatch watch_;
};

// What a stop does to a training run; the log says so at once.
enum class StopMeans {
  end_at_once,     // before the first step
  save_and_end,    // after the current step
  finish_and_end,  // the last step is done; after the model is written
  nothing,         // the run is over
};

enum class Wish { stop, save, evaluate };

// Answers all signals of a training run from now until the process ends. A stop means end_at_once
// until set_stop.
void watch_run_signals();
void set_stop(StopMeans meaning);
// Whether such a signal has come.
bool is_wished(Wish wish);
// The same, and forgets it.
bool take_wish(Wish wish);

}  // namespace lmpo

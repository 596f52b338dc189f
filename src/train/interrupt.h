// Signals as wishes that the training loop can ask for between two steps.
//
//   SIGINT, SIGTERM  finish the step, save, leave; a second one ends the program at once
//   SIGUSR1          save a checkpoint and go on
//   SIGUSR2          evaluate and go on
#pragma once

namespace lmpo {

// Takes SIGINT and SIGTERM over for the object's life. One object at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  bool interrupted() const;
};

enum class Wish { save, evaluate };

// From now on SIGUSR1 and SIGUSR2 do not end the program; called early, so that a signal that comes
// while data is read is not lost.
void accept_wishes();
// Whether there was such a signal since the last call.
bool take_wish(Wish wish);

}  // namespace lmpo

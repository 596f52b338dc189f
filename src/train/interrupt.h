// SIGINT and SIGTERM as a wish that the training loop can ask for: finish the step, save, leave.
#pragma once

namespace lmpo {

// Takes the two signals over for the object's life. A second signal ends the program at once.
// One object at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  bool interrupted() const;
};

}  // namespace lmpo

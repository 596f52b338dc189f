#include "train/interrupt.h"

#include <csignal>

namespace lmpo {
namespace {

volatile std::sig_atomic_t stop_seen = 0;
volatile std::sig_atomic_t save_seen = 0;
volatile std::sig_atomic_t evaluate_seen = 0;

void end_the_program_on_signals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void note_stop(int) {
  stop_seen = 1;
  end_the_program_on_signals();
}

void note_wish(int signal) {
  (signal == SIGUSR1 ? save_seen : evaluate_seen) = 1;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  stop_seen = 0;
  std::signal(SIGINT, note_stop);
  std::signal(SIGTERM, note_stop);
}

InterruptWatch::~InterruptWatch() {
  end_the_program_on_signals();
}

bool InterruptWatch::interrupted() const {
  return stop_seen != 0;
}

void accept_wishes() {
  std::signal(SIGUSR1, note_wish);
  std::signal(SIGUSR2, note_wish);
}

bool take_wish(Wish wish) {
  volatile std::sig_atomic_t& seen = wish == Wish::save ? save_seen : evaluate_seen;
  const bool wished = seen != 0;
  seen = 0;
  return wished;
}

}  // namespace lmpo

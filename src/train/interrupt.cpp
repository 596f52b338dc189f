#include "train/interrupt.h"

#include <csignal>

namespace lmpo {
namespace {

volatile std::sig_atomic_t seen = 0;

void end_the_program_on_signals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void note(int) {
  seen = 1;
  end_the_program_on_signals();
}

}  // namespace

InterruptWatch::InterruptWatch() {
  seen = 0;
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

InterruptWatch::~InterruptWatch() {
  end_the_program_on_signals();
}

bool InterruptWatch::interrupted() const {
  return seen != 0;
}

}  // namespace lmpo

#include "train/interrupt.h"

#include <csignal>

namespace lmpo {
namespace {

volatile std::sig_atomic_t seen = 0;

void note(int signal) {
  seen = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptWatch::InterruptWatch() {
  seen = 0;
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

InterruptWatch::~InterruptWatch() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

bool InterruptWatch::interrupted() const {
  return seen != 0;
}

}  // namespace lmpo

#include "train/interrupt.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <utility>

#include "base/log.h"

namespace lmpo {
namespace {

std::array<std::atomic<bool>, 3> wishes;  // by Wish
std::atomic<StopMeans> stop_means = StopMeans::end_at_once;

std::atomic<bool>& seen(Wish wish) {
  return wishes.at(static_cast<std::size_t>(wish));
}

// Whether it is the first stop. Later SIGINT and SIGTERM end the program, even if it waits for a
// terminal that takes no message. SIGHUP does not: a terminal that closes sends it repeatedly.
bool is_first(std::atomic<bool>& stopped) {
  if (stopped.exchange(true)) {
    return false;
  }
  end_program_on({SIGINT, SIGTERM});
  return true;
}

void stop_run(int signal) {
  if (!is_first(seen(Wish::stop))) {
    return;
  }
  const std::string again = signal == SIGINT ? "press Ctrl-C again" : "send SIGTERM again";
  switch (stop_means) {
    case StopMeans::end_at_once:
      log_warning("stopped before the first step: there is nothing to save");
      ::_exit(kStoppedBySignal);
    case StopMeans::save_and_end:
      log_warning("stopping after this step, then saving; {} to quit without saving", again);
      break;
    case StopMeans::finish_and_end:
      log_warning("the last step is done; stopping after the model is written; {} to quit at once",
                  again);
      break;
    case StopMeans::nothing:
      break;
  }
}

void answer_run(int signal) {
  switch (signal) {
    case SIGUSR1:
      seen(Wish::save) = true;
      break;
    case SIGUSR2:
      seen(Wish::evaluate) = true;
      break;
    default:
      stop_run(signal);
  }
}

}  // namespace

InterruptWatch::InterruptWatch(std::string answer)
    : watch_({SIGINT, SIGTERM, SIGHUP}, [this, text = std::move(answer)](int) {
        if (is_first(interrupted_)) {
          log_warning("{}", text);
        }
      }) {}

void watch_run_signals() {
  [[maybe_unused]] static const SignalWatch& watch =
      *new SignalWatch({SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}, answer_run);
  set_stop(StopMeans::end_at_once);
}

void set_stop(StopMeans meaning) {
  stop_means = meaning;
}

bool is_wished(Wish wish) {
  return seen(wish);
}

bool take_wish(Wish wish) {
  return seen(wish).exchange(false);
}

}  // namespace lmpo

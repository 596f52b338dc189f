#include "train/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

namespace lmpo::interrupt_test {
namespace {

// As another program or a terminal does: to the process, not to a thread.
void send(int signal) {
  ::kill(::getpid(), signal);
}

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

TEST(InterruptWatch, EachSignalIsAWish) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const InterruptWatch watch("stopping");
    EXPECT_FALSE(watch.interrupted());
    send(signal);
    EXPECT_TRUE(comes_true([&] { return watch.interrupted(); }));
  }
  const InterruptWatch next("stopping");  // what an earlier one saw is over
  EXPECT_FALSE(next.interrupted());
}

TEST(InterruptWatch, AnswersAtOnce) {
  ::testing::internal::CaptureStderr();
  {
    const InterruptWatch watch("stopping soon");
    send(SIGTERM);
  }
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("stopping soon"), std::string::npos);
}

TEST(InterruptWatchDeathTest, ASecondSignalEndsTheProgram) {
  for (const int first : {SIGINT, SIGTERM}) {
    for (const int second : {SIGINT, SIGTERM}) {
      EXPECT_EXIT(
          {
            const InterruptWatch watch("stopping");
            send(first);
            comes_true([&] { return watch.interrupted(); });
            send(second);
            std::this_thread::sleep_for(std::chrono::minutes(1));
          },
          ::testing::ExitedWithCode(130), "");  // it may come before the first one's message
    }
  }
}

// A terminal that is closed sends SIGHUP more than once.
TEST(InterruptWatchDeathTest, AHangUpNeverCountsAsTheSecond) {
  EXPECT_EXIT(
      {
        {
          const InterruptWatch watch("stopping");
          for (int i = 0; i < 5; ++i) {
            send(SIGHUP);
            comes_true([&] { return watch.interrupted(); });
          }
        }
        ::_exit(3);
      },
      ::testing::ExitedWithCode(3), "");
}

TEST(InterruptWatchDeathTest, AnIgnoredHangUpStaysIgnored) {
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        const InterruptWatch watch("stopping");
        send(SIGHUP);
        send(SIGTERM);  // comes later
        comes_true([&] { return watch.interrupted(); });
        sigset_t pending;
        ::sigpending(&pending);
        ::_exit(sigismember(&pending, SIGHUP) == 1 ? 1 : 3);
      },
      ::testing::ExitedWithCode(3), "");
}

TEST(InterruptWatchDeathTest, SignalsEndTheProgramAfterwards) {
  EXPECT_EXIT(
      {
        { const InterruptWatch watch("stopping"); }
        send(SIGTERM);
        std::this_thread::sleep_for(std::chrono::minutes(1));
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(RunSignalsDeathTest, WishesAreTakenOnce) {
  EXPECT_EXIT(
      {
        watch_run_signals();
        send(SIGUSR1);
        bool good = comes_true([] { return is_wished(Wish::save); });
        good =
            good && !is_wished(Wish::evaluate) && take_wish(Wish::save) && !take_wish(Wish::save);
        send(SIGUSR2);
        good = good && comes_true([] { return is_wished(Wish::evaluate); });
        ::_exit(good ? 3 : 1);
      },
      ::testing::ExitedWithCode(3), "");
}

TEST(RunSignalsDeathTest, AStopBeforeTheFirstStepEndsAtOnce) {
  EXPECT_EXIT(
      {
        watch_run_signals();
        send(SIGINT);
        std::this_thread::sleep_for(std::chrono::minutes(1));
      },
      ::testing::ExitedWithCode(130), "nothing to save");
}

TEST(RunSignalsDeathTest, AStopIsAnsweredAtOnce) {
  EXPECT_EXIT(
      {
        watch_run_signals();
        set_stop(StopMeans::save_and_end);
        send(SIGINT);
        comes_true([] { return is_wished(Wish::stop); });
        send(SIGUSR1);  // answered after the first one's message
        comes_true([] { return is_wished(Wish::save); });
        send(SIGINT);
        std::this_thread::sleep_for(std::chrono::minutes(1));
      },
      ::testing::ExitedWithCode(130),
      "stopping after this step, then saving; press Ctrl-C again to quit without saving");
}

}  // namespace
}  // namespace lmpo::interrupt_test

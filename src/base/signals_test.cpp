#include "base/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>
#include <vector>

#include "base/threads.h"

namespace lmpo::signals_test {
namespace {

using ::testing::ElementsAre;

std::atomic<int> handled = 0;

TEST(Signals, AreAnsweredByTheWatchAndThenAsBefore) {
  std::signal(SIGUSR1, [](int) { ++handled; });
  std::vector<int> answered;
  {
    std::counting_semaphore<> arrived(0);
    std::thread::id answering;
    const SignalWatch watch({SIGUSR1, SIGUSR2}, [&](int signal) {
      answered.push_back(signal);
      answering = std::this_thread::get_id();
      arrived.release();
    });
    ::kill(::getpid(), SIGUSR2);
    arrived.acquire();
    parallel_each(4, [](std::int64_t) { ::kill(::getpid(), SIGUSR1); });
    arrived.acquire();
    EXPECT_NE(answering, std::this_thread::get_id());
  }
  ASSERT_GE(answered.size(), 2U);  // signals that arrive together may count as one
  EXPECT_EQ(answered.front(), SIGUSR2);
  EXPECT_EQ(handled, 0);
  ::raise(SIGUSR1);
  EXPECT_EQ(handled, 1);
  std::signal(SIGUSR1, SIG_DFL);
}

TEST(Signals, WhatCameBeforeTheEndIsAnswered) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> count = 0;
    {
      const SignalWatch watch({SIGUSR1}, [&](int) { ++count; });
      ::kill(::getpid(), SIGUSR1);
    }
    EXPECT_EQ(count, 1);
  }
}

TEST(Signals, AHangUpStaysIgnored) {
  std::signal(SIGHUP, SIG_IGN);
  std::vector<int> answered;
  {
    const SignalWatch watch({SIGHUP, SIGUSR1}, [&](int signal) { answered.push_back(signal); });
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGUSR1);
  }
  EXPECT_THAT(answered, ElementsAre(SIGUSR1));
  std::signal(SIGHUP, SIG_DFL);
}

TEST(SignalsDeathTest, ASecondOneEndsTheProgramWhateverItWaitsFor) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const SignalWatch watch({SIGINT}, [](int) {
          end_program_on({SIGINT});
          ::kill(::getpid(), SIGINT);
          ::pause();
        });
        ::kill(::getpid(), SIGINT);
        ::pause();
      },
      ::testing::ExitedWithCode(kStoppedBySignal), "");
}

}  // namespace
}  // namespace lmpo::signals_test

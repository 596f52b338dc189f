#include "train/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace lmpo {
namespace {

TEST(InterruptWatch, EitherSignalIsAWish) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const InterruptWatch watch;
    EXPECT_FALSE(watch.interrupted());
    std::raise(signal);
    EXPECT_TRUE(watch.interrupted());
  }
  const InterruptWatch next;  // what an earlier one saw is over
  EXPECT_FALSE(next.interrupted());
}

TEST(Wishes, AreTakenOnce) {
  accept_wishes();
  EXPECT_FALSE(take_wish(Wish::save));
  EXPECT_FALSE(take_wish(Wish::evaluate));
  std::raise(SIGUSR1);
  std::raise(SIGUSR1);
  EXPECT_FALSE(take_wish(Wish::evaluate));
  EXPECT_TRUE(take_wish(Wish::save));
  EXPECT_FALSE(take_wish(Wish::save));
  std::raise(SIGUSR2);
  EXPECT_TRUE(take_wish(Wish::evaluate));
}

TEST(InterruptWatchDeathTest, ASecondSignalEndsTheProgram) {
  for (const int first : {SIGINT, SIGTERM}) {
    for (const int second : {SIGINT, SIGTERM}) {
      EXPECT_EXIT(
          {
            const InterruptWatch watch;
            std::raise(first);
            std::raise(second);
          },
          ::testing::KilledBySignal(second), "");
    }
  }
}

TEST(InterruptWatchDeathTest, SignalsEndTheProgramAfterwards) {
  EXPECT_EXIT(
      {
        { const InterruptWatch watch; }
        std::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace lmpo

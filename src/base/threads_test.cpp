#include "base/threads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace lmpo::threads_test {
namespace {

// The pool's size for one test.
struct Threads {
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(available_threads()); }
};

using Range = std::pair<std::int64_t, std::int64_t>;

std::vector<Range> ranges_of(std::int64_t count, std::int64_t grain) {
  std::mutex mutex;
  std::vector<Range> ranges;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

TEST(Threads, RangesCoverEveryIndexOnceWhateverTheSizes) {
  for (const int threads : {1, 2, 3, 8}) {
    const Threads pool(threads);
    for (const std::int64_t grain : {0, 1, 3, 1000}) {
      for (const std::int64_t count : {0, 1, 2, 3, 7, 8, 9, 64, 1001}) {
        SCOPED_TRACE(fmt::format("{} threads, {} items, grain {}", threads, count, grain));
        const std::vector<Range> ranges = ranges_of(count, grain);
        std::int64_t at = 0;
        for (const auto& [begin, end] : ranges) {
          EXPECT_EQ(begin, at);
          EXPECT_LT(begin, end);
          at = end;
        }
        EXPECT_EQ(at, count);
        EXPECT_LE(std::ssize(ranges), threads);
        const std::int64_t least = std::max<std::int64_t>(grain, 1);
        EXPECT_LE(std::ssize(ranges), (count + least - 1) / least);
        EXPECT_EQ(ranges, ranges_of(count, grain));  // cut by sizes, never by timing

        std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
        parallel_each(count, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
        for (const auto& value : seen) {
          EXPECT_EQ(value, 1);
        }
      }
    }
  }
}

TEST(Threads, AnExceptionIsThrownAgainAndThePoolWorksOn) {
  for (const int threads : {1, 3}) {
    const Threads pool(threads);
    for (const std::int64_t bad : {0, 50, 99}) {
      EXPECT_THROW(parallel_for(100, 1,
                                [&](std::int64_t begin, std::int64_t end) {
                                  if (begin <= bad && bad < end) {
                                    throw UserError("bad");
                                  }
                                }),
                   UserError);
      EXPECT_EQ(ranges_of(100, 1).back().second, 100);
    }
    for (int repetition = 0; repetition < 20; ++repetition) {
      std::string message;
      try {
        parallel_each(1000, [](std::int64_t i) {
          if (i >= 100) {
            throw UserError(std::to_string(i));
          }
        });
      } catch (const UserError& error) {
        message = error.what();
      }
      EXPECT_EQ(message, "100");  // the lowest one, whatever the timing
    }
  }
}

TEST(Threads, WorkersThatSleepWakeUp) {
  const Threads pool(4);
  for (int repetition = 0; repetition < 5; ++repetition) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // they give up spinning
    std::atomic<int> sum = 0;
    parallel_for(4, 1, [&](std::int64_t begin, std::int64_t) {
      if (begin > 0) {  // the caller waits, asleep
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      ++sum;
    });
    EXPECT_EQ(sum, 4);
  }
}

TEST(Threads, ACallFromAWorkerRunsInIt) {
  const Threads pool(3);
  std::atomic<int> inner = 0;
  parallel_each(6, [&](std::int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(10, 1, [&](std::int64_t begin, std::int64_t end) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      inner += static_cast<int>(end - begin);
    });
    parallel_each(10, [&](std::int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      ++inner;
    });
  });
  EXPECT_EQ(inner, 120);
}

}  // namespace
}  // namespace lmpo::threads_test

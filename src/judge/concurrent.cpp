#include "judge/concurrent.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lmpo {

void run_concurrently(std::int64_t count, std::int64_t workers,
                      const std::function<void(std::int64_t index)>& body) {
  std::atomic<std::int64_t> next = 0;
  std::atomic<bool> failed = false;
  std::exception_ptr first;
  std::mutex mutex;
  const auto work = [&] {
    for (std::int64_t index = next++; index < count && !failed; index = next++) {
      try {
        body(index);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failed.exchange(true)) {
          first = std::current_exception();
        }
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < std::min(count, workers); ++i) {
      threads.emplace_back(work);
    }
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

}  // namespace lmpo

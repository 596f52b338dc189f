#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/signal_stack.h"
#include "base/signals.h"

namespace lmpo {
namespace {

thread_local bool inside_worker = false;

// Until the value is no longer `old`. Spins for some tens of microseconds before it sleeps: waking up
// costs as much, and the next task of a step, or the end of this one, usually comes sooner.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  constexpr int kTries = 2000;
  for (int i = 0; i < kTries && value == old; ++i) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
  }
  value.wait(old);
}

// Workers wait for a task, run it with their own index, and report.
class ThreadPool {
 public:
  explicit ThreadPool(int count) {
    for (int index = 1; index < count; ++index) {
      workers_.emplace_back([this, index] { work(index); });
    }
  }

  ~ThreadPool() {
    stopping_ = true;
    ++generation_;
    generation_.notify_all();
    for (auto& worker : workers_) {
      worker.join();
    }
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  void run(const std::function<void(int)>& task) {
    task_ = &task;
    error_ = nullptr;
    pending_ = static_cast<std::uint32_t>(workers_.size());
    ++generation_;
    generation_.notify_all();
    run_guarded(task, 0);
    for (std::uint32_t left = pending_; left != 0; left = pending_) {
      wait_for_change(pending_, left);
    }
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  void run_guarded(const std::function<void(int)>& task, int index) {
    const bool before = std::exchange(inside_worker, true);
    try {
      task(index);
    } catch (...) {
      const std::lock_guard lock(error_mutex_);
      error_ = std::current_exception();
    }
    inside_worker = before;
  }

  void work(int index) {
    use_signal_stack();
    block_signals();  // a worker computes
    for (std::uint32_t seen = 0;; ++seen) {
      wait_for_change(generation_, seen);
      if (stopping_) {
        return;
      }
      run_guarded(*task_, index);
      if (--pending_ == 0) {
        pending_.notify_one();
      }
    }
  }

  std::vector<std::thread> workers_;
  // What a worker sees once generation_, the number of tasks so far, has changed.
  const std::function<void(int)>* task_ = nullptr;
  bool stopping_ = false;
  std::atomic<std::uint32_t> generation_ = 0;
  std::atomic<std::uint32_t> pending_ = 0;  // workers that are not done
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

std::unique_ptr<ThreadPool>& pool() {
  static std::unique_ptr<ThreadPool> instance = std::make_unique<ThreadPool>(available_threads());
  return instance;
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0
                        ? CPU_COUNT(&set)
                        : static_cast<int>(std::thread::hardware_concurrency());
  return std::max(1, count);
}

void set_threads(int count) {
  LMPO_CHECK(count >= 1);
  if (pool()->size() != count) {
    pool() = std::make_unique<ThreadPool>(count);
  }
}

int threads() {
  return pool()->size();
}

void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) {
    return;
  }
  const std::int64_t most =
      (count + std::max<std::int64_t>(grain, 1) - 1) / std::max<std::int64_t>(grain, 1);
  if (inside_worker || most == 1 || threads() == 1) {
    body(0, count);
    return;
  }
  const std::int64_t parts = std::min<std::int64_t>(most, threads());
  pool()->run([&](int index) {
    if (index < parts) {
      const std::int64_t begin = count * index / parts;
      const std::int64_t end = count * (index + 1) / parts;
      body(begin, end);
    }
  });
}

void parallel_each(std::int64_t count, const std::function<void(std::int64_t)>& body) {
  if (inside_worker || count <= 1 || threads() == 1) {
    for (std::int64_t index = 0; index < count; ++index) {
      body(index);
    }
    return;
  }
  // Indices are taken in order, so all below a failing one are computed too. The lowest failing index is
  // therefore the same for any timing.
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;
  std::int64_t failed = count;
  std::exception_ptr error;
  pool()->run([&](int) {
    for (std::int64_t index = next++; index < count; index = next++) {
      try {
        body(index);
      } catch (...) {
        const std::lock_guard lock(mutex);
        next = count;
        if (index < failed) {
          failed = index;
          error = std::current_exception();
        }
      }
    }
  });
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace lmpo

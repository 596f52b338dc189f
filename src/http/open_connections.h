// The sockets of a server's connections, and the threads that serve them.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>

namespace lmpo {

// Thread-safe.
class OpenConnections {
 public:
  // False where there are `most` already.
  bool add(int socket, std::int64_t most) {
    const std::lock_guard lock(mutex_);
    return std::ssize(sockets_) < most && sockets_.insert(socket).second;
  }
  void remove(int socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }
  // Threads count from before they start until they end.
  void add_thread() {
    const std::lock_guard lock(mutex_);
    ++threads_;
  }
  void remove_thread() {
    const std::lock_guard lock(mutex_);
    --threads_;
    ended_.notify_all();  // under the lock: afterwards this may be gone
  }
  bool wait_for_end(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, longest, [&] { return threads_ == 0; });
  }
  void wait_for_end() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return threads_ == 0; });
  }
  // Reading and writing fail from now on.
  void break_all() {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) {
      ::shutdown(socket, SHUT_RDWR);
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<int> sockets_;
  std::int64_t threads_ = 0;
};

}  // namespace lmpo

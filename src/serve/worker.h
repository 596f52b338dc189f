// The one thread that computes answers, for all models and all clients.
//
// Threads of clients hand over requests and read what comes of them from a mailbox of their own. The
// thread pool serves one thread at a time, so models take turns: a step of each that has work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "generate/engine.h"
#include "serve/api_error.h"

namespace lmpo {

// What the worker needs of an Engine. Only the worker's thread calls it.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual RequestId submit(EngineRequest request) = 0;
  virtual void cancel(RequestId request) = 0;
  virtual std::vector<EngineEvent> step() = 0;
  virtual EngineStatistics statistics() const = 0;
};

// What happened to one request of a ticket.
struct News {
  std::size_t index = 0;
  EngineEvent event;
};

class Worker;
struct Mailbox;

// Requests that were handed over together. Its end cancels those that have not ended.
class Ticket {
 public:
  Ticket(Worker& worker, std::shared_ptr<Mailbox> mailbox);
  ~Ticket();
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  // All that is new; waits for it, but not longer than this. ApiError where the requests failed.
  std::vector<News> wait(std::chrono::milliseconds longest);
  // The request's news after this are of no interest.
  void cancel(std::size_t index);

 private:
  Worker& worker_;
  std::shared_ptr<Mailbox> mailbox_;
};

// Thread-safe.
class Worker {
 public:
  // `most`: requests that may be unfinished when another comes. `failed` is called by the worker's
  // thread, once, when a source throws: then nothing more is computed. The sources must outlive it.
  Worker(const std::vector<TokenSource*>& sources, std::int64_t most,
         std::function<void()> failed = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ApiError 429 where too many are unfinished, 503 after refuse().
  std::unique_ptr<Ticket> submit(std::size_t source, std::vector<EngineRequest> requests);
  // From now on nothing new is taken.
  void refuse();
  // Ends all that is unfinished: its readers get the ApiError 503.
  void end_all();
  // As of the last step.
  EngineStatistics statistics(std::size_t source) const;
  // What a source threw; "" where all is well.
  std::string failure() const;

 private:
  friend class Ticket;
  struct Submission {
    std::size_t source;
    std::vector<EngineRequest> requests;
    std::shared_ptr<Mailbox> mailbox;
  };
  struct Cancellation {
    std::shared_ptr<Mailbox> mailbox;
    std::optional<std::size_t> index;  // none: all
  };
  struct Place {  // of a request's news
    std::shared_ptr<Mailbox> mailbox;
    std::size_t index;
  };
  struct Running {
    TokenSource* source;
    std::unordered_map<RequestId, Place> requests;
  };

  void work();
  bool take_orders(bool wait);  // false: the worker is to end
  void start(Submission& submission);
  void stop(const Cancellation& cancellation);
  void step(std::size_t source);
  void note_statistics(std::size_t source, std::int64_t ended);
  void fail_all(const ApiError& error);
  void cancel(std::shared_ptr<Mailbox> mailbox, std::optional<std::size_t> index);

  // Of the worker's thread.
  std::vector<Running> running_;

  mutable std::mutex mutex_;  // of all below
  std::condition_variable ordered_;
  std::vector<Submission> submissions_;
  std::vector<Cancellation> cancellations_;
  std::vector<EngineStatistics> statistics_;
  std::int64_t unfinished_ = 0;
  const std::int64_t most_;
  bool refusing_ = false;
  bool ending_all_ = false;
  bool ending_ = false;
  std::string failure_;
  std::function<void()> failed_;

  std::thread thread_;  // last: it uses all others
};

}  // namespace lmpo

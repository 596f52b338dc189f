#include "serve/worker.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr std::size_t kMostUnreadNews = 100'000;  // of a reader that is far too slow

ApiError shutting_down() {
  return {503, "The server is shutting down", "", "server_shutdown"};
}

}  // namespace

struct Mailbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<News> news;
  std::optional<ApiError> failure;

  void put(News one) {
    const std::lock_guard lock(mutex);
    news.push_back(std::move(one));
    arrived.notify_one();
  }
  void fail(const ApiError& error) {
    const std::lock_guard lock(mutex);
    failure = error;
    arrived.notify_one();
  }
  bool is_full() {
    const std::lock_guard lock(mutex);
    return news.size() > kMostUnreadNews;
  }
};

Ticket::Ticket(Worker& worker, std::shared_ptr<Mailbox> mailbox)
    : worker_(worker), mailbox_(std::move(mailbox)) {}

Ticket::~Ticket() {
  worker_.cancel(mailbox_, std::nullopt);
}

std::vector<News> Ticket::wait(std::chrono::milliseconds longest) {
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->arrived.wait_for(
      lock, longest, [&] { return !mailbox_->news.empty() || mailbox_->failure.has_value(); });
  if (mailbox_->news.empty() && mailbox_->failure) {
    throw ApiError(*mailbox_->failure);
  }
  return std::exchange(mailbox_->news, {});
}

void Ticket::cancel(std::size_t index) {
  worker_.cancel(mailbox_, index);
}

Worker::Worker(const std::vector<TokenSource*>& sources, std::int64_t most,
               std::function<void()> failed)
    : statistics_(sources.size()), most_(most), failed_(std::move(failed)) {
  for (TokenSource* source : sources) {
    running_.push_back({source, {}});
  }
  thread_ = std::thread([this] { work(); });
}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    refusing_ = ending_all_ = ending_ = true;
  }
  ordered_.notify_one();
  thread_.join();
}

std::unique_ptr<Ticket> Worker::submit(std::size_t source, std::vector<EngineRequest> requests) {
  auto mailbox = std::make_shared<Mailbox>();
  {
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) {
      throw ApiError(503, "The server has failed and computes nothing more");
    }
    if (refusing_) {
      throw shutting_down();
    }
    if (unfinished_ >= most_) {
      throw ApiError(429,
                     fmt::format("Rate limit reached: {} requests are running or waiting. Please "
                                 "try again later",
                                 unfinished_),
                     "", "rate_limit_exceeded");
    }
    unfinished_ += std::ssize(requests);
    submissions_.push_back({source, std::move(requests), mailbox});
  }
  ordered_.notify_one();
  return std::make_unique<Ticket>(*this, std::move(mailbox));
}

void Worker::refuse() {
  const std::lock_guard lock(mutex_);
  refusing_ = true;
}

void Worker::end_all() {
  {
    const std::lock_guard lock(mutex_);
    refusing_ = ending_all_ = true;
  }
  ordered_.notify_one();
}

EngineStatistics Worker::statistics(std::size_t source) const {
  const std::lock_guard lock(mutex_);
  return statistics_[source];
}

std::string Worker::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Worker::cancel(std::shared_ptr<Mailbox> mailbox, std::optional<std::size_t> index) {
  {
    const std::lock_guard lock(mutex_);
    cancellations_.push_back({std::move(mailbox), index});
  }
  ordered_.notify_one();
}

void Worker::work() {
  try {
    for (std::size_t source = 0; source < running_.size(); ++source) {
      note_statistics(source, 0);
    }
    for (;;) {
      const bool idle =
          std::ranges::all_of(running_, [](const Running& each) { return each.requests.empty(); });
      if (!take_orders(idle)) {
        return;
      }
      for (std::size_t source = 0; source < running_.size(); ++source) {
        if (!running_[source].requests.empty()) {
          step(source);
        }
      }
    }
  } catch (const std::exception& error) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = error.what();
    }
    fail_all(ApiError(500, "The model failed; the server's log says how"));
    if (failed_) {
      failed_();
    }
  }
}

// Submissions first: a request may be cancelled before it has begun.
bool Worker::take_orders(bool wait) {
  std::vector<Submission> submissions;
  std::vector<Cancellation> cancellations;
  bool end_all = false;
  bool end = false;
  {
    std::unique_lock lock(mutex_);
    if (wait) {
      ordered_.wait(lock, [&] {
        return ending_all_ || ending_ || !submissions_.empty() || !cancellations_.empty();
      });
    }
    submissions = std::exchange(submissions_, {});
    cancellations = std::exchange(cancellations_, {});
    end_all = std::exchange(ending_all_, false);
    end = ending_;
  }
  for (Submission& submission : submissions) {
    start(submission);
  }
  for (const Cancellation& cancellation : cancellations) {
    stop(cancellation);
  }
  if (end_all) {
    fail_all(shutting_down());
  }
  return !end;
}

void Worker::start(Submission& submission) {
  Running& running = running_[submission.source];
  for (std::size_t i = 0; i < submission.requests.size(); ++i) {
    const Place place = {submission.mailbox, i};
    try {
      running.requests.emplace(running.source->submit(std::move(submission.requests[i])), place);
    } catch (const UserError& error) {
      submission.mailbox->fail(ApiError(400, error.what()));
      note_statistics(submission.source, 1);
    }
  }
}

void Worker::stop(const Cancellation& cancellation) {
  for (std::size_t source = 0; source < running_.size(); ++source) {
    Running& running = running_[source];
    const auto stopped = std::erase_if(running.requests, [&](const auto& each) {
      const Place& place = each.second;
      const bool is_meant = place.mailbox == cancellation.mailbox &&
                            (!cancellation.index || *cancellation.index == place.index);
      if (is_meant) {
        running.source->cancel(each.first);
      }
      return is_meant;
    });
    note_statistics(source, static_cast<std::int64_t>(stopped));
  }
}

void Worker::step(std::size_t source) {
  Running& running = running_[source];
  std::int64_t ended = 0;
  for (EngineEvent& event : running.source->step()) {
    const auto found = running.requests.find(event.request);
    if (found == running.requests.end()) {
      continue;
    }
    const Place place = found->second;
    if (event.end) {
      running.requests.erase(found);
      ++ended;
    }
    place.mailbox->put({place.index, std::move(event)});
    if (place.mailbox->is_full()) {
      place.mailbox->fail(ApiError(503, "The client reads its answer too slowly"));
      cancel(place.mailbox, std::nullopt);
    }
  }
  note_statistics(source, ended);
}

void Worker::note_statistics(std::size_t source, std::int64_t ended) {
  const EngineStatistics now = running_[source].source->statistics();
  const std::lock_guard lock(mutex_);
  unfinished_ -= ended;
  statistics_[source] = now;
}

void Worker::fail_all(const ApiError& error) {
  std::vector<Submission> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(submissions_, {});
    unfinished_ = 0;
  }
  for (const Submission& each : waiting) {
    each.mailbox->fail(error);
  }
  for (Running& running : running_) {
    for (const auto& [request, place] : running.requests) {
      place.mailbox->fail(error);
      if (failure().empty()) {
        running.source->cancel(request);
      }
    }
    running.requests.clear();
  }
}

}  // namespace lmpo

// What stands for an engine: answers that are known beforehand. For tests only.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "serve/worker.h"

namespace lmpo {

class ScriptedSource final : public TokenSource {
 public:
  using Script = std::function<std::vector<std::int32_t>(const EngineRequest&)>;
  // The answer to a request; it ends by a stop token of the request, its length, or its own end.
  explicit ScriptedSource(Script script) : script_(std::move(script)) {}

  RequestId submit(EngineRequest request) override {
    if (refusal != "") {
      throw UserError(refusal);
    }
    const RequestId id = ++last_;
    std::vector<std::int32_t> tokens = script_(request);
    const std::lock_guard lock(mutex_);
    running_[id] = {std::move(request), std::move(tokens), 0};
    return id;
  }
  void cancel(RequestId request) override {
    const std::lock_guard lock(mutex_);
    cancelled_ += running_.erase(request) > 0 ? 1 : 0;
  }
  std::vector<EngineEvent> step() override {
    if (fails) {
      throw std::runtime_error("the scripted engine is broken");
    }
    if (holds || steps_left == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return {};
    }
    --steps_left;
    const std::lock_guard lock(mutex_);
    std::vector<EngineEvent> events;
    for (auto& [id, one] : running_) {
      events.push_back(next(id, one));
    }
    std::erase_if(running_, [&](const auto& each) { return each.second.ended; });
    return events;
  }
  EngineStatistics statistics() const override {
    const std::lock_guard lock(mutex_);
    return {.running = std::ssize(running_)};
  }

  // How many were cancelled while they ran; how many run.
  std::int64_t cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }
  std::int64_t running() const { return statistics().running; }

  std::atomic<bool> holds = false;            // steps do nothing
  std::atomic<std::int64_t> steps_left = -1;  // before it holds; below 0: any number
  std::atomic<bool> fails = false;            // a step throws
  std::string refusal = "";                   // of every request; set before the worker starts
  std::string not_finite = "";                // every request ends so; set before the worker starts

 private:
  struct Running {
    EngineRequest request;
    std::vector<std::int32_t> tokens;
    std::size_t next = 0;
    bool ended = false;
  };

  // Log-probabilities that are easily recognised: -1, -2, ... of the answer, -0.5, -1.5, ... of the
  // prompt; the likeliest are the token itself and its successors.
  static ScoredToken scored(std::int32_t token, double logp, std::int64_t top) {
    ScoredToken all = {.token = token, .logp = logp};
    for (std::int64_t i = 0; i < top; ++i) {
      all.top.push_back({static_cast<std::int32_t>(token + i), logp - static_cast<double>(i)});
    }
    return all;
  }

  EngineEvent next(RequestId id, Running& one) const {
    EngineEvent event = {.request = id};
    const EngineRequest& request = one.request;
    if (not_finite != "") {
      event.end = RequestEnd::failed;
      event.error = not_finite;
      one.ended = true;
      return event;
    }
    if (one.next == 0) {
      event.reused_tokens = 1;
      for (std::size_t i = 1; request.prompt_logps && i < request.prompt.size(); ++i) {
        event.prompt.push_back(
            scored(request.prompt[i], 0.5 - static_cast<double>(i), request.top_logps));
      }
    }
    const auto position = static_cast<std::int64_t>(one.next++);
    if (request.max_new_tokens > 0 && position < std::ssize(one.tokens)) {
      const std::int32_t token = one.tokens[static_cast<std::size_t>(position)];
      event.token = scored(token, static_cast<double>(-1 - position), request.top_logps);
      if (std::ranges::find(request.stop_ids, token) != request.stop_ids.end()) {
        event.end = RequestEnd::stop;
      }
    }
    if (!event.end &&
        (position + 1 >= request.max_new_tokens || position + 1 >= std::ssize(one.tokens))) {
      event.end = RequestEnd::length;
    }
    one.ended = event.end.has_value();
    return event;
  }

  Script script_;
  mutable std::mutex mutex_;
  RequestId last_ = 0;
  std::map<RequestId, Running> running_;
  std::int64_t cancelled_ = 0;
};

}  // namespace lmpo

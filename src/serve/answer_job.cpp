#include "serve/answer_job.h"

#include <random>

#include "base/elapsed.h"

namespace lmpo {
namespace {

constexpr std::chrono::milliseconds kLookForClient{200};

}  // namespace

std::uint64_t any_seed() {
  thread_local std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

AnswerJob::AnswerJob(Service& service, std::size_t model, const AnswerSettings& settings,
                     std::vector<PlannedAnswer> planned)
    : service_(service),
      model_(model),
      choices_(static_cast<std::size_t>(settings.choices)),
      unended_(planned.size()) {
  std::vector<EngineRequest> requests;
  answers_.reserve(planned.size());
  for (PlannedAnswer& each : planned) {
    prompt_tokens_ += answers_.size() % choices_ == 0 ? std::ssize(each.request.prompt) : 0;
    answers_.emplace_back(this->model().text.tokenizer, each.request.prompt, settings,
                          each.reports);
    requests.push_back(std::move(each.request));
  }
  ticket_ = service.worker.submit(model, std::move(requests));
}

bool AnswerJob::follow(const std::function<bool()>& client_gone,
                       const std::function<bool(std::size_t)>& changed) {
  const auto end = start_ + service_.limits.request_time;
  auto next_look = start_ + kLookForClient;
  while (unended_ > 0) {
    for (const News& news : ticket_->wait(kLookForClient)) {
      if (answers_[news.index].ended()) {
        continue;  // by its text, and the engine was a token further
      }
      take(news);
      if (!changed(news.index)) {
        return false;
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) {
      throw ApiError(504,
                     fmt::format("The answer took longer than {} s, the server's limit for a "
                                 "request (--request_time)",
                                 service_.limits.request_time.count()),
                     "", "request_timeout");
    }
    if (now >= next_look) {
      if (client_gone()) {
        return false;
      }
      next_look = now + kLookForClient;
    }
  }
  return true;
}

void AnswerJob::take(const News& news) {
  if (news.event.end == RequestEnd::failed) {
    throw ApiError(500, news.event.error, "", "model_failure");
  }
  if (!has_begun_) {
    has_begun_ = true;
    service_.metrics.count_first_token(seconds_since(start_));
  }
  GrowingAnswer& answer = answers_[news.index];
  answer.take(news.event);
  if (answer.ended()) {
    --unended_;
    if (answer.stopped_by_text() && !news.event.end) {
      ticket_->cancel(news.index);
    }
  }
}

void stream_answers(AnswerJob& job, const std::function<bool()>& client_gone, const SendPart& send,
                    const std::function<bool(std::size_t)>& changed,
                    const std::function<std::string()>& last) {
  try {
    if (job.follow(client_gone, changed)) {
      send(last() + kLastEvent);
    }
  } catch (const ApiError& error) {
    send(server_event(error.body()));
  }
}

Usage AnswerJob::usage() const {
  Usage usage = {.prompt_tokens = prompt_tokens_};
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    usage.new_tokens += answers_[i].new_tokens();
    usage.reused_tokens += i % choices_ == 0 ? answers_[i].reused_tokens() : 0;
  }
  return usage;
}

std::string AnswerJob::note() const {
  const Usage all = usage();
  return fmt::format("{}, {} + {} tokens", model().id, all.prompt_tokens, all.new_tokens);
}

}  // namespace lmpo

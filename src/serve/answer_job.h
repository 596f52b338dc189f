// The answers to one request of a client, on their way from the worker.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/growing_answer.h"
#include "serve/responses.h"
#include "serve/service.h"

namespace lmpo {

struct PlannedAnswer {
  EngineRequest request;
  GrowingAnswer::Reports reports = {};
};

class AnswerJob {
 public:
  // `planned`: n answers to each prompt, one after another. Hands them to the worker; ApiError as
  // Worker::submit.
  AnswerJob(Service& service, std::size_t model, const AnswerSettings& settings,
            std::vector<PlannedAnswer> planned);

  // Takes what comes until all answers have ended, and calls changed(index) after news of an answer.
  // False where `changed` returned false or the client has gone: the answers are given up. ApiError
  // where the engine failed or time is over.
  bool follow(const std::function<bool()>& client_gone,
              const std::function<bool(std::size_t index)>& changed);

  std::vector<GrowingAnswer>& answers() { return answers_; }
  const ServedModel& model() const { return service_.models[model_]; }
  // Of all answers so far. A prompt counts once for its n answers.
  Usage usage() const;
  // "smollm2, 12 + 34 tokens", for the log.
  std::string note() const;

 private:
  void take(const News& news);

  Service& service_;
  std::size_t model_;
  std::size_t choices_;  // n
  std::int64_t prompt_tokens_ = 0;
  std::vector<GrowingAnswer> answers_;
  std::size_t unended_;
  bool has_begun_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::unique_ptr<Ticket> ticket_;
};

// Sends the answers as events: what changed(index) sends of each, then what last() gives and
// kLastEvent. An ApiError on the way is sent as the last event.
void stream_answers(AnswerJob& job, const std::function<bool()>& client_gone, const SendPart& send,
                    const std::function<bool(std::size_t index)>& changed,
                    const std::function<std::string()>& last);

// The reply of a Job, made of a request that has been read: the answers as a whole, or as they come.
template <typename Job, typename Request>
HttpReply reply_of(Service& service, const Request& request, const HttpRequest& http) {
  const auto job = std::make_shared<Job>(service, request);
  service.note_unknown(request.unknown_fields);
  if (!request.settings.stream) {
    return job->whole(http.client_gone);
  }
  return {
      .type = kEventStream,
      .stream = [job, gone = http.client_gone](const SendPart& send) { job->stream(gone, send); },
      .note = job->note()};
}

// One for all answers of a request that gives none: nobody can guess it.
std::uint64_t any_seed();

}  // namespace lmpo

// POST /v1/completions.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "serve/answer_job.h"
#include "serve/completion_request.h"
#include "serve/endpoints.h"

namespace lmpo {
namespace {

// A prompt as it was given, and as the model reads it.
struct PromptText {
  std::string text;
  std::vector<TokenId> tokens;
};

PromptText prompt_text(const ServedModel& model, const GivenText& given) {
  const Tokenizer& tokenizer = model.text.tokenizer;
  PromptText prompt;
  if (const auto* text = std::get_if<std::string>(&given)) {
    prompt = {*text, tokenizer.encode(*text, true)};
    check_tokens(model, prompt.tokens, "prompt");
  } else {
    prompt.tokens = std::get<std::vector<std::int32_t>>(given);
    check_tokens(model, prompt.tokens, "prompt");  // before unknown ids are decoded
    prompt.text = tokenizer.decode(prompt.tokens, false);
  }
  return prompt;
}

// The prompt's tokens as reports; `scored` has them from the second on. Tokens that the tokenizer
// puts before a text are not in it: they begin at its beginning.
std::vector<TokenReport> report_prompt(const Tokenizer& tokenizer, const PromptText& prompt,
                                       const std::vector<ScoredToken>& scored) {
  std::vector<TokenReport> reports;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < prompt.tokens.size(); ++i) {
    const ScoredToken unknown = {.token = prompt.tokens[i], .logp = std::nan("")};
    const bool is_scored = i > 0 && i <= scored.size();
    reports.push_back(report_token(tokenizer, i > 0 ? &prompt.tokens[i - 1] : nullptr,
                                   is_scored ? scored[i - 1] : unknown, offset));
    offset += characters_of(reports.back().bytes);
  }
  const std::int64_t added = std::max<std::int64_t>(0, offset - characters_of(prompt.text));
  for (TokenReport& report : reports) {
    report.offset = std::max<std::int64_t>(0, report.offset - added);
  }
  return reports;
}

class CompletionJob {
 public:
  CompletionJob(Service& service, const CompletionRequest& request);

  HttpReply whole(const std::function<bool()>& client_gone);
  void stream(const std::function<bool()>& client_gone, const SendPart& send);
  std::shared_ptr<const std::string> note() const { return note_; }

 private:
  AnswerJob plan(Service& service, const CompletionRequest& request);
  // What is new of an answer: its text and reports, the prompt before the first if it is echoed.
  ordered_json news_of(std::size_t index);
  const PromptText& prompt_of(std::size_t index) const { return prompts_[index / choices_]; }

  std::size_t model_;
  ResponseHead head_;
  std::size_t choices_;
  bool echo_;
  bool reports_;
  bool include_usage_;
  std::vector<PromptText> prompts_;
  AnswerJob job_;
  struct Unsent {
    std::string text;
    std::vector<TokenReport> reports;
    bool prompt = false;  // is still to be echoed
  };
  std::vector<Unsent> unsent_;  // of each answer
  std::shared_ptr<std::string> note_ = std::make_shared<std::string>();
};

AnswerJob CompletionJob::plan(Service& service, const CompletionRequest& request) {
  const ServedModel& model = service.models[model_];
  const std::uint64_t seed = request.settings.seed.value_or(any_seed());
  std::vector<PlannedAnswer> planned;
  for (const GivenText& given : request.prompts) {
    prompts_.push_back(prompt_text(model, given));
    const PromptText& prompt = prompts_.back();
    const std::int64_t length = answer_length(
        model, prompt.tokens.size(), request.settings.max_tokens, kUsualCompletion, "prompt");
    for (EngineRequest& each : requests_of(model, request.settings, prompt.tokens, length,
                                           request.top_logps, seed, planned.size())) {
      each.prompt_logps = echo_ && (reports_ || length == 0);
      planned.push_back({std::move(each),
                         {.wanted = reports_,
                          .end_token = true,
                          .offset = echo_ ? characters_of(prompt.text) : 0}});
    }
  }
  return {service, model_, request.settings, std::move(planned)};
}

CompletionJob::CompletionJob(Service& service, const CompletionRequest& request)
    : model_(service.find_model(request.model)),
      head_("cmpl-", service.models[model_].id),
      choices_(static_cast<std::size_t>(request.settings.choices)),
      echo_(request.echo),
      reports_(request.top_logps >= 0),
      include_usage_(request.settings.include_usage),
      job_(plan(service, request)),
      unsent_(job_.answers().size(), {.text = {}, .reports = {}, .prompt = echo_}) {}

ordered_json CompletionJob::news_of(std::size_t index) {
  Unsent& unsent = unsent_[index];
  GrowingAnswer& answer = job_.answers()[index];
  if (std::exchange(unsent.prompt, false)) {
    unsent.text = prompt_of(index).text + unsent.text;
    if (reports_) {
      std::vector<TokenReport> before =
          report_prompt(job_.model().text.tokenizer, prompt_of(index), answer.prompt_tokens());
      unsent.reports.insert(unsent.reports.begin(), std::make_move_iterator(before.begin()),
                            std::make_move_iterator(before.end()));
    }
  }
  return completion_choice(
      index, std::exchange(unsent.text, ""),
      reports_ ? completion_logprobs(std::exchange(unsent.reports, {})) : ordered_json(),
      answer.finish_reason());
}

HttpReply CompletionJob::whole(const std::function<bool()>& client_gone) {
  const bool ended = job_.follow(client_gone, [](std::size_t) { return true; });
  *note_ = job_.note();
  if (!ended) {
    return {.status = kClientLeft, .note = note_};
  }
  ordered_json choices = ordered_json::array();
  for (std::size_t i = 0; i < job_.answers().size(); ++i) {
    unsent_[i].text = job_.answers()[i].take_text();
    unsent_[i].reports = job_.answers()[i].take_reports();
    choices.push_back(news_of(i));
  }
  ordered_json response = completion_response(head_, std::move(choices));
  response["usage"] = usage_json(job_.usage());
  return {.body = json_line(response), .note = note_};
}

void CompletionJob::stream(const std::function<bool()>& client_gone, const SendPart& send) {
  const auto send_news = [&](std::size_t i) {
    GrowingAnswer& answer = job_.answers()[i];
    unsent_[i].text += answer.take_text();
    std::ranges::move(answer.take_reports(), std::back_inserter(unsent_[i].reports));
    if (unsent_[i].text.empty() && !unsent_[i].prompt && !answer.ended()) {
      return true;
    }
    ordered_json chunk = completion_response(head_, ordered_json::array({news_of(i)}));
    if (include_usage_) {
      chunk["usage"] = nullptr;
    }
    return send(server_event(chunk));
  };
  stream_answers(job_, client_gone, send, send_news, [&] {
    return include_usage_ ? server_event(usage_chunk(head_, kCompletion, job_.usage())) : "";
  });
  *note_ = job_.note();
}

}  // namespace

HttpReply answer_completion(Service& service, const HttpRequest& http) {
  return reply_of<CompletionJob>(service, read_completion_request(parse_body(http.body)), http);
}

}  // namespace lmpo

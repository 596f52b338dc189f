// POST /v1/chat/completions.
#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "serve/answer_job.h"
#include "serve/chat_request.h"
#include "serve/endpoints.h"

namespace lmpo {
namespace {

constexpr const char* kCalls = "tool_calls";

class ChatJob {
 public:
  ChatJob(Service& service, const ChatRequest& request);

  HttpReply whole(const std::function<bool()>& client_gone);
  void stream(const std::function<bool()>& client_gone, const SendPart& send);
  std::shared_ptr<const std::string> note() const { return note_; }

 private:
  AnswerJob plan(Service& service, const ChatRequest& request) const;
  // Sends a chunk of one answer.
  bool send_chunk(const SendPart& send, std::size_t index, ordered_json delta,
                  const char* finish_reason = nullptr);
  bool send_news(const SendPart& send, std::size_t index);
  bool send_end(const SendPart& send, std::size_t index);

  std::size_t model_;
  const ToolFormat* tool_format_;  // null: answers call no tools
  ResponseHead head_;
  bool include_usage_;
  bool reports_;
  AnswerJob job_;
  std::vector<ToolCallFilter> filters_;            // of each answer
  std::vector<std::vector<TokenReport>> pending_;  // of each: not sent yet
  std::shared_ptr<std::string> note_ = std::make_shared<std::string>();
};

ordered_json tools_of(const ChatRequest& request) {
  return request.calls_tools ? request.inputs.at("tools") : ordered_json();
}

AnswerJob ChatJob::plan(Service& service, const ChatRequest& request) const {
  const ServedModel& model = service.models[model_];
  std::vector<TokenId> prompt =
      chat_tokens(model, request.messages, request.add_generation_prompt, request.inputs);
  check_tokens(model, prompt, "messages");
  const std::int64_t length = answer_length(model, prompt.size(), request.settings.max_tokens,
                                            std::numeric_limits<std::int64_t>::max(), "messages");
  std::vector<PlannedAnswer> planned;
  AnswerSettings settings = request.settings;
  settings.shown_tokens = tool_tokens(tool_format_, model.text.tokenizer);
  for (EngineRequest& each :
       requests_of(model, settings, std::move(prompt), length, request.top_logps,
                   settings.seed.value_or(any_seed()), 0)) {
    planned.push_back({std::move(each), {.wanted = reports_}});
  }
  return {service, model_, settings, std::move(planned)};
}

ChatJob::ChatJob(Service& service, const ChatRequest& request)
    : model_(service.find_model(request.model)),
      tool_format_(request.calls_tools ? service.models[model_].tools() : nullptr),
      head_("chatcmpl-", service.models[model_].id),
      include_usage_(request.settings.include_usage),
      reports_(request.top_logps >= 0),
      job_(plan(service, request)),
      filters_(job_.answers().size(), ToolCallFilter(tool_format_, tools_of(request))),
      pending_(job_.answers().size()) {}

HttpReply ChatJob::whole(const std::function<bool()>& client_gone) {
  const bool ended = job_.follow(client_gone, [](std::size_t) { return true; });
  *note_ = job_.note();
  if (!ended) {
    return {.status = kClientLeft, .note = note_};
  }
  ordered_json choices = ordered_json::array();
  for (std::size_t i = 0; i < job_.answers().size(); ++i) {
    GrowingAnswer& answer = job_.answers()[i];
    std::string content = filters_[i].add(answer.take_text());
    const CallsInText rest = filters_[i].finish();
    content += rest.content;
    choices.push_back(chat_choice(i, chat_message(content, rest.calls),
                                  reports_ ? chat_logprobs(answer.take_reports()) : ordered_json(),
                                  rest.calls.empty() ? answer.finish_reason() : kCalls));
  }
  return {.body = json_line(chat_response(head_, std::move(choices), job_.usage())), .note = note_};
}

bool ChatJob::send_chunk(const SendPart& send, std::size_t index, ordered_json delta,
                         const char* finish_reason) {
  ordered_json logprobs;
  if (reports_ && !pending_[index].empty()) {
    logprobs = chat_logprobs(std::exchange(pending_[index], {}));
  }
  ordered_json chunk =
      chat_chunk(head_, index, std::move(delta), std::move(logprobs), finish_reason);
  if (include_usage_) {
    chunk["usage"] = nullptr;
  }
  return send(server_event(chunk));
}

bool ChatJob::send_news(const SendPart& send, std::size_t index) {
  GrowingAnswer& answer = job_.answers()[index];
  std::ranges::move(answer.take_reports(), std::back_inserter(pending_[index]));
  const std::string text = filters_[index].add(answer.take_text());
  return (text.empty() || send_chunk(send, index, chat_delta(text))) &&
         (!answer.ended() || send_end(send, index));
}

bool ChatJob::send_end(const SendPart& send, std::size_t index) {
  const CallsInText rest = filters_[index].finish();
  return (rest.content.empty() || send_chunk(send, index, chat_delta(rest.content))) &&
         (rest.calls.empty() || send_chunk(send, index, chat_delta(rest.calls))) &&
         send_chunk(send, index, ordered_json::object(),
                    rest.calls.empty() ? job_.answers()[index].finish_reason() : kCalls);
}

void ChatJob::stream(const std::function<bool()>& client_gone, const SendPart& send) {
  bool reading = true;
  for (std::size_t i = 0; i < job_.answers().size() && reading; ++i) {
    reading = send_chunk(send, i, {{"role", "assistant"}, {"content", ""}});
  }
  if (reading) {
    stream_answers(
        job_, client_gone, send, [&](std::size_t i) { return send_news(send, i); },
        [&] {
          return include_usage_ ? server_event(usage_chunk(head_, kChatChunk, job_.usage())) : "";
        });
  }
  *note_ = job_.note();
}

}  // namespace

HttpReply answer_chat(Service& service, const HttpRequest& http) {
  return reply_of<ChatJob>(service, read_chat_request(parse_body(http.body)), http);
}

}  // namespace lmpo

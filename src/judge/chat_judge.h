// A judge behind an endpoint that speaks OpenAI's API: each question is asked until it has an answer,
// answers are kept, and money is counted.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "http/client.h"
#include "judge/answer_store.h"

namespace lmpo {

// Dollars for a million tokens.
struct TokenPrice {
  double input = 0;
  double output = 0;
};
// Of the judges of the published benchmarks. Nothing for others.
std::optional<TokenPrice> known_price(std::string_view model);

// About what a request costs: a token has about four bytes.
double estimated_cost(const ordered_json& request, double answer_tokens, const TokenPrice& price);

// What a reply cost, by its usage; where it tells none, estimated.
double cost_of_reply(const ordered_json& request, const ordered_json& reply,
                     const TokenPrice& price);

struct ChatJudgeOptions {
  std::string name = {};  // of the model and its endpoint
  TokenPrice price = {};
  double max_cost = 0;      // dollars; not looked at where the price is 0
  std::string secret = {};  // never shown and never kept: "***" in whatever the endpoint says
  int tries = 8;
  std::chrono::milliseconds first_wait{1000};  // doubles up to longest_wait
  std::chrono::milliseconds longest_wait{60'000};
  std::function<void(std::chrono::milliseconds)> sleep = {};  // by default, really
};

class ChatJudge {
 public:
  using Post = std::function<HttpResult(const std::string& body)>;

  // `post` is called by several threads. The store must outlive the judge.
  ChatJudge(Post post, AnswerStore& store, ChatJudgeOptions options);

  // The reply to a request of chat completions: an object whose choices[0].message is one. Thread-safe.
  //
  // Overload (408, 409, 429, 5xx), closed connections, time-outs and replies that are none are asked
  // again, after a wait that doubles, or that the endpoint asks for; the wait holds for all threads. A
  // 429 is no try where another request was answered in the meantime.
  // Nothing is returned where the endpoint refuses this request alone (400 and the like).
  //
  // UserError where no request can succeed: a wrong key (401, 403), an unknown model or path (404), no
  // quota, nobody at the address, or the very first reply is a refusal or is none; and where the next
  // request would cost more than max_cost. MachineError after the last try.
  std::optional<ordered_json> ask(const ordered_json& request);

  double spent() const;          // dollars, of answers that were not kept before
  std::int64_t asked() const;    // such answers
  std::int64_t refused() const;  // requests

 private:
  enum class Next { done, refused, again };
  struct Attempt {
    Next next;
    ordered_json reply = nullptr;
    std::string problem = {};
    std::optional<std::chrono::seconds> wait = {};
    bool is_limited = false;  // by the number of requests in some time
  };

  Attempt attempt(const std::string& body);
  Attempt judge_reply(const HttpResult& result);
  Attempt judge_refusal(const HttpResult& result);
  void require_money(const ordered_json& request);
  void count(const ordered_json& request, const ordered_json& reply);
  void wait_if_told();
  std::string said(std::string text) const;
  bool has_succeeded() const;

  Post post_;
  AnswerStore& store_;
  ChatJudgeOptions options_;
  mutable std::mutex mutex_;  // of what follows
  double spent_ = 0;
  std::int64_t asked_ = 0;
  std::int64_t refused_ = 0;
  std::chrono::steady_clock::time_point resume_at_{};
};

// The text of a reply's first choice; "" where it has none.
std::string text_of_reply(const ordered_json& reply);

}  // namespace lmpo

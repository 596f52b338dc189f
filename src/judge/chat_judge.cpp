#include "judge/chat_judge.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/readable.h"
#include "base/utf8.h"
#include "judge/rows_of.h"

namespace lmpo {
namespace {

struct KnownPrice {
  std::string_view model;
  TokenPrice price;
};
constexpr KnownPrice kKnownPrices[] = {
    {"gpt-4-1106-preview", {10, 30}},  // AlpacaEval 2 and Arena-Hard v0.1
    {"gpt-4.1", {2, 8}},               // Arena-Hard since 2025
};

constexpr double kBytesPerToken = 4;
constexpr std::chrono::minutes kLongestAskedWait{10};

double cost_of(double input_tokens, double output_tokens, const TokenPrice& price) {
  return (input_tokens * price.input + output_tokens * price.output) / 1e6;
}

std::optional<double> usage_of(const ordered_json& reply, const char* key) {
  const ordered_json* value = descend(reply, {"usage", key});
  return value != nullptr && value->is_number() ? std::optional(value->get<double>())
                                                : std::nullopt;
}

bool is_chat_reply(const ordered_json& reply) {
  const ordered_json* choices = descend(reply, {"choices"});
  if (choices == nullptr || !choices->is_array() || choices->empty()) {
    return false;
  }
  const ordered_json* message = descend(choices->front(), {"message"});
  return message != nullptr && message->is_object();
}

// The message of an error in OpenAI's form, else the start of the text.
std::string message_of(const std::string& body) {
  const ordered_json reply = ordered_json::parse(body, nullptr, false);
  if (reply.is_object() && reply.contains("error")) {
    const ordered_json& error = reply["error"];
    const ordered_json& message =
        error.is_object() && error.contains("message") ? error["message"] : error;
    if (message.is_string()) {
      return message.get<std::string>();
    }
  }
  return body;
}

std::string start_of_text(const std::string& text) {
  constexpr std::size_t most = 300;
  const std::string whole = replace_invalid_utf8(text.substr(0, most));
  return printable(whole, LineEnds::escape) + (text.size() > most ? "..." : "");
}

}  // namespace

std::optional<TokenPrice> known_price(std::string_view model) {
  const auto* found = std::ranges::find(kKnownPrices, model, &KnownPrice::model);
  return found == std::end(kKnownPrices) ? std::nullopt : std::optional(found->price);
}

double estimated_cost(const ordered_json& request, double answer_tokens, const TokenPrice& price) {
  double bytes = 0;
  for (const ordered_json& message : request.at("messages")) {
    bytes += static_cast<double>(message.at("content").get_ref<const std::string&>().size());
  }
  return cost_of(bytes / kBytesPerToken, answer_tokens, price);
}

double cost_of_reply(const ordered_json& request, const ordered_json& reply,
                     const TokenPrice& price) {
  const double answer_tokens =
      usage_of(reply, "completion_tokens")
          .value_or(static_cast<double>(text_of_reply(reply).size()) / kBytesPerToken);
  const auto input_tokens = usage_of(reply, "prompt_tokens");
  return input_tokens ? cost_of(*input_tokens, answer_tokens, price)
                      : estimated_cost(request, answer_tokens, price);
}

std::string text_of_reply(const ordered_json& reply) {
  const ordered_json& message = reply.at("choices").at(0).at("message");
  const auto content = message.find("content");
  return content != message.end() && content->is_string() ? content->get<std::string>() : "";
}

ChatJudge::ChatJudge(Post post, AnswerStore& store, ChatJudgeOptions options)
    : post_(std::move(post)), store_(store), options_(std::move(options)) {
  if (!options_.sleep) {
    options_.sleep = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  }
}

std::optional<ordered_json> ChatJudge::ask(const ordered_json& request) {
  const std::string key = AnswerStore::key_of(options_.name, request);
  if (auto kept = store_.find(key)) {
    return kept;
  }
  require_money(request);
  const std::string body = json_line(request);
  std::chrono::milliseconds wait = options_.first_wait;
  for (int number = 1;; ++number) {
    wait_if_told();
    const std::int64_t answers = asked();
    Attempt result = attempt(body);
    if (result.next == Next::done) {
      count(request, result.reply);
      store_.add(key, result.reply);
      return std::move(result.reply);
    }
    if (result.next == Next::refused) {
      const std::lock_guard lock(mutex_);
      ++refused_;
      log_warning("the judge {} refuses a request: {}", options_.name, result.problem);
      return std::nullopt;
    }
    if (result.is_limited && asked() > answers) {
      number = 1;  // others were served in the meantime: the endpoint is not out of order
      wait = options_.first_wait;
    }
    if (number == options_.tries) {
      machine_error(
          "the judge {} gives no answer after {}: {}. {} kept in {}; run the same command again to "
          "continue",
          options_.name, counted(number, "attempt"), result.problem,
          store_.size() == 1 ? "1 answer is" : fmt::format("{} answers are", store_.size()),
          store_.file().string());
    }
    const auto pause = result.wait ? std::chrono::milliseconds(*result.wait) : wait;
    wait = std::min(2 * wait, options_.longest_wait);
    const std::lock_guard lock(mutex_);
    resume_at_ = std::max(resume_at_, std::chrono::steady_clock::now() + pause);
  }
}

ChatJudge::Attempt ChatJudge::attempt(const std::string& body) {
  const HttpResult result = post_(body);
  if (result.failure == HttpFailure::none) {
    return result.status == 200 ? judge_reply(result) : judge_refusal(result);
  }
  const std::string problem = said(result.problem);
  const bool is_hopeless =
      result.failure == HttpFailure::unreachable || result.failure == HttpFailure::tls;
  if (is_hopeless && !has_succeeded()) {
    user_error("the judge {} cannot be reached: {}", options_.name, problem);
  }
  return {.next = Next::again, .problem = problem};
}

ChatJudge::Attempt ChatJudge::judge_reply(const HttpResult& result) {
  ordered_json reply = ordered_json::parse(said(result.body), nullptr, false);
  if (is_chat_reply(reply)) {
    return {.next = Next::done, .reply = std::move(reply)};
  }
  const std::string problem =
      result.body.empty()
          ? "its answer is empty"
          : fmt::format("its answer is not that of a chat: {}", start_of_text(said(result.body)));
  if (!has_succeeded()) {
    user_error("the judge {} does not speak OpenAI's API: {}. Is its URL right? One ends with /v1",
               options_.name, problem);
  }
  return {.next = Next::again, .problem = problem};
}

ChatJudge::Attempt ChatJudge::judge_refusal(const HttpResult& result) {
  const std::string message =
      fmt::format("status {}: {}", result.status, start_of_text(said(message_of(result.body))));
  const bool has_no_quota = message.find("insufficient_quota") != std::string::npos ||
                            result.body.find("insufficient_quota") != std::string::npos;
  if (result.status == 401 || result.status == 403) {
    user_error("the judge {} refuses the key: {}. {}", options_.name, message,
               options_.secret.empty() ? "OPENAI_API_KEY is not set" : "Look at OPENAI_API_KEY");
  }
  if (result.status == 404 || has_no_quota) {
    user_error("the judge {} cannot answer: {}", options_.name, message);
  }
  const bool is_busy =
      result.status == 408 || result.status == 409 || result.status == 429 || result.status >= 500;
  if (is_busy) {
    if (result.retry_after && *result.retry_after > kLongestAskedWait) {
      user_error("the judge {} asks to come back in {}: {}", options_.name,
                 readable_duration(static_cast<double>(result.retry_after->count())), message);
    }
    return {.next = Next::again,
            .problem = message,
            .wait = result.retry_after,
            .is_limited = result.status == 429};
  }
  if (!has_succeeded()) {
    user_error("the judge {} refuses the first request: {}", options_.name, message);
  }
  return {.next = Next::refused, .problem = message};
}

void ChatJudge::require_money(const ordered_json& request) {
  const std::lock_guard lock(mutex_);
  const double next = estimated_cost(request, 0, options_.price);
  if (next > 0 && spent_ + next > options_.max_cost) {
    user_error(
        "the judge has cost ${:.2f}, and --max_cost {:.2f} allows no more; {} answers are kept in "
        "{}: "
        "run the command again with a larger --max_cost to continue",
        spent_, options_.max_cost, store_.size(), store_.file().string());
  }
}

void ChatJudge::count(const ordered_json& request, const ordered_json& reply) {
  const std::lock_guard lock(mutex_);
  spent_ += cost_of_reply(request, reply, options_.price);
  ++asked_;
}

void ChatJudge::wait_if_told() {
  std::chrono::milliseconds wait{};
  {
    const std::lock_guard lock(mutex_);
    wait =
        std::chrono::ceil<std::chrono::milliseconds>(resume_at_ - std::chrono::steady_clock::now());
  }
  if (wait.count() > 0) {
    options_.sleep(wait);
  }
}

std::string ChatJudge::said(std::string text) const {
  if (!options_.secret.empty()) {
    for (std::size_t at = text.find(options_.secret); at != std::string::npos;
         at = text.find(options_.secret, at)) {
      text.replace(at, options_.secret.size(), "***");
    }
  }
  return text;
}

bool ChatJudge::has_succeeded() const {
  const std::lock_guard lock(mutex_);
  return asked_ > 0;
}

double ChatJudge::spent() const {
  const std::lock_guard lock(mutex_);
  return spent_;
}

std::int64_t ChatJudge::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::int64_t ChatJudge::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace lmpo

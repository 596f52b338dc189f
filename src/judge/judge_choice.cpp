#include "judge/judge_choice.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/folder_name.h"
#include "base/log.h"
#include "base/readable.h"
#include "judge/program_judge.h"
#include "judge/reward_judge.h"

namespace lmpo {
namespace {

// Judgments of Arena-Hard have some hundred tokens.
constexpr double kJudgmentTokens = 600;

bool is_on_this_machine(std::string_view url) {
  const std::size_t begin = url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3;
  const std::string_view host = url.substr(begin);
  return host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]");
}

TokenPrice price_of(const JudgeChoice& choice) {
  if (choice.price) {
    return *choice.price;
  }
  if (is_on_this_machine(choice.url)) {
    return {};
  }
  if (const auto known = known_price(choice.model)) {
    return *known;
  }
  user_error(
      "what the judge {} costs is not known: give --judge_price INPUT,OUTPUT, dollars for a "
      "million "
      "tokens (0,0 where it is free)",
      choice.model);
}

// What is still to be asked: how much, and for how many dollars.
struct Estimate {
  std::int64_t requests = 0;
  double dollars = 0;
};

std::string endpoint_name(const JudgeChoice& choice) {
  return fmt::format("{} at {}", choice.model, choice.url);
}

template <typename RequestOf>
Estimate estimate_of(std::span<const JudgeCase> cases, const JudgeChoice& choice,
                     const AnswerStore& store, const TokenPrice& price, double answer_tokens,
                     const RequestOf& request_of) {
  Estimate estimate;
  for (const JudgeCase& each : cases) {
    const ordered_json request = request_of(each);
    if (!store.find(AnswerStore::key_of(endpoint_name(choice), request))) {
      ++estimate.requests;
      estimate.dollars += estimated_cost(request, answer_tokens, price);
    }
  }
  return estimate;
}

void require_leave(const Estimate& estimate, const JudgeChoice& choice) {
  if (estimate.requests == 0 || estimate.dollars == 0) {
    return;
  }
  if (estimate.dollars > choice.max_cost) {
    user_error(
        "judging by {} costs about ${:.2f} for {}: give --max_cost {:.0f} or more to allow it",
        choice.model, estimate.dollars, counted(estimate.requests, "request"),
        std::ceil(1.2 * estimate.dollars));
  }
  log_info("judging by {}: {}, about ${:.2f}", choice.model, counted(estimate.requests, "request"),
           estimate.dollars);
}

std::unique_ptr<ChatJudge> open_endpoint(const JudgeChoice& choice, const TokenPrice& price,
                                         AnswerStore& store) {
  HttpClientOptions http;
  if (!choice.key.empty()) {
    http.headers.push_back("Authorization: Bearer " + choice.key);
  }
  const auto client = std::make_shared<HttpClient>(choice.url, std::move(http));
  return std::make_unique<ChatJudge>(
      [client](const std::string& body) { return client->post("/chat/completions", body); }, store,
      ChatJudgeOptions{.name = endpoint_name(choice),
                       .price = price,
                       .max_cost = choice.max_cost,
                       .secret = choice.key});
}

void tell_cost(const ChatJudge& judge, const TokenPrice& price) {
  if (judge.asked() > 0) {
    log_info("the judge answered {}{}", counted(judge.asked(), "request"),
             price.input + price.output > 0 ? fmt::format(", for ${:.2f}", judge.spent()) : "");
  }
  if (judge.refused() > 0) {
    log_warning("the judge refused {}, which have no verdict; run the command again to ask again",
                counted(judge.refused(), "request"));
  }
}

}  // namespace

std::string judge_name(const JudgeChoice& choice) {
  if (!choice.program.empty()) {
    return "program";
  }
  return choice.reward.model.empty() ? choice.model : folder_name(choice.reward.model);
}

std::vector<PairVerdict> judge_pairs(const JudgeChoice& choice, AnswerStore& store,
                                     std::span<const JudgeCase> cases) {
  if (!choice.program.empty()) {
    return ask_program_pairs(choice.program, store, cases);
  }
  if (!choice.reward.model.empty()) {
    return reward_pairs(choice.reward, cases);
  }
  const TokenPrice price = price_of(choice);
  require_leave(
      estimate_of(cases, choice, store, price, 1,
                  [&](const JudgeCase& each) { return alpaca_request(choice.model, each); }),
      choice);
  const auto judge = open_endpoint(choice, price, store);
  auto verdicts = ask_pairs(*judge, choice.model, price, choice.workers, cases);
  tell_cost(*judge, price);
  return verdicts;
}

std::vector<GameVerdict> judge_games(const JudgeChoice& choice, AnswerStore& store,
                                     ArenaRules rules, std::span<const JudgeCase> games) {
  if (!choice.program.empty()) {
    return ask_program_games(choice.program, store, rules, games);
  }
  if (!choice.reward.model.empty()) {
    return reward_games(choice.reward, games);
  }
  const TokenPrice price = price_of(choice);
  require_leave(
      estimate_of(games, choice, store, price, kJudgmentTokens,
                  [&](const JudgeCase& each) { return arena_request(choice.model, each, rules); }),
      choice);
  const auto judge = open_endpoint(choice, price, store);
  auto verdicts = ask_games(*judge, choice.model, rules, choice.workers, games);
  tell_cost(*judge, price);
  return verdicts;
}

}  // namespace lmpo

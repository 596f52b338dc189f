#include "judge/endpoint_judge.h"

#include <cmath>
#include <limits>
#include <mutex>

#include "base/error.h"
#include "base/progress.h"
#include "judge/concurrent.h"
#include "judge/rows_of.h"

namespace lmpo {
namespace {

void require_logprobs(const ordered_json& reply) {
  const ordered_json* logprobs = descend(reply["choices"][0], {"logprobs"});
  if (logprobs == nullptr || logprobs->is_null()) {
    user_error(
        "the judge answers without log-probabilities, from which AlpacaEval 2 takes its "
        "preferences: "
        "choose a model and an endpoint with 'logprobs' and 'top_logprobs'");
  }
}

// A choice as alpaca_eval keeps it.
ordered_json raw_completion(const ordered_json& reply) {
  ordered_json raw = reply["choices"][0];
  raw["text"] = text_of_reply(reply);
  const ordered_json* total = descend(reply, {"usage", "total_tokens"});
  raw["total_tokens"] = total == nullptr ? ordered_json(nullptr) : *total;
  return raw;
}

constexpr const char* kGoOn =
    "continue your judgment and finish by outputting a final verdict label";
constexpr int kAttempts = 2;

// arena-hard-auto (v0.1) starts each attempt's text on a new line.
GameVerdict ask_game(ChatJudge& judge, const std::string& judge_model, ArenaRules rules,
                     const JudgeCase& game) {
  ordered_json request = arena_request(judge_model, game, rules);
  GameVerdict verdict;
  for (int number = 1; number <= kAttempts; ++number) {
    const auto reply = judge.ask(request);
    if (!reply) {
      return verdict;
    }
    const std::string text = text_of_reply(*reply);
    if (rules == ArenaRules::v2) {
      verdict.judgment = text;
    } else {
      verdict.judgment += "\n" + text;
    }
    verdict.label = verdict_label(verdict.judgment, rules);
    if (!lacks_label(verdict.judgment, rules)) {
      break;
    }
    request["messages"].push_back({{"role", "assistant"}, {"content", text}});
    request["messages"].push_back({{"role", "user"}, {"content", kGoOn}});
  }
  return verdict;
}

}  // namespace

std::vector<PairVerdict> ask_pairs(ChatJudge& judge, const std::string& judge_model,
                                   const TokenPrice& price, std::int64_t workers,
                                   std::span<const JudgeCase> cases) {
  std::vector<PairVerdict> verdicts(cases.size(),
                                    {.preference = std::numeric_limits<double>::quiet_NaN()});
  Progress progress({.what = "judge", .unit = "questions", .total = std::ssize(cases)});
  std::mutex mutex;
  run_concurrently(std::ssize(cases), workers, [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const ordered_json request = alpaca_request(judge_model, cases[i]);
    if (const auto reply = judge.ask(request)) {
      require_logprobs(*reply);
      verdicts[i] = {.preference = preference_of_choice((*reply)["choices"][0]),
                     .raw = raw_completion(*reply),
                     .price = cost_of_reply(request, *reply, price)};
    }
    const std::lock_guard lock(mutex);
    progress.step(1, 0);
  });
  return verdicts;
}

std::vector<GameVerdict> ask_games(ChatJudge& judge, const std::string& judge_model,
                                   ArenaRules rules, std::int64_t workers,
                                   std::span<const JudgeCase> games) {
  std::vector<GameVerdict> verdicts(games.size());
  Progress progress({.what = "judge", .unit = "games", .total = std::ssize(games)});
  std::mutex mutex;
  run_concurrently(std::ssize(games), workers, [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    verdicts[i] = ask_game(judge, judge_model, rules, games[i]);
    const std::lock_guard lock(mutex);
    progress.step(1, 0);
  });
  return verdicts;
}

}  // namespace lmpo

// An endpoint's model as the judge of both benchmarks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "judge/alpaca_judge.h"
#include "judge/arena_judge.h"
#include "judge/chat_judge.h"

namespace lmpo {

// Asks `workers` questions at a time. UserError where the judge answers without log-probabilities.
std::vector<PairVerdict> ask_pairs(ChatJudge& judge, const std::string& judge_model,
                                   const TokenPrice& price, std::int64_t workers,
                                   std::span<const JudgeCase> cases);

// Asks `workers` questions at a time. By v0.1's rules a judge without any label is asked once to go on.
std::vector<GameVerdict> ask_games(ChatJudge& judge, const std::string& judge_model,
                                   ArenaRules rules, std::int64_t workers,
                                   std::span<const JudgeCase> games);

}  // namespace lmpo

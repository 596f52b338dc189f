// Which judge, and asking it: a program, or a reward model.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/alpaca_judge.h"
#include "judge/answer_store.h"
#include "judge/arena_judge.h"
#include "train/rewards.h"

namespace lmpo {

struct JudgeChoice {
  std::string program = {};   // a command of the shell, or ""
  RewardOptions reward = {};  // otherwise
};

// For files: "program", or the name of the reward model's folder.
std::string judge_name(const JudgeChoice& choice);

// What each case comes to, in their order. Answers of a program are kept in the store, and those that it
// has are not asked for again.
std::vector<PairVerdict> judge_pairs(const JudgeChoice& choice, AnswerStore& store,
                                     std::span<const JudgeCase> cases);
std::vector<GameVerdict> judge_games(const JudgeChoice& choice, AnswerStore& store,
                                     ArenaRules rules, std::span<const JudgeCase> games);

}  // namespace lmpo

// Which judge, and asking it: an endpoint of OpenAI's API, a program, or a reward model.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/answer_store.h"
#include "judge/endpoint_judge.h"
#include "train/rewards.h"

namespace lmpo {

struct JudgeChoice {
  std::string program = {};   // a command of the shell, or ""
  RewardOptions reward = {};  // its model is a folder, or ""
  // Otherwise an endpoint.
  std::string url = {};
  std::string model = {};
  std::string key = {};  // "" for none
  std::optional<TokenPrice> price = {};
  double max_cost = 0;  // dollars
  std::int64_t workers = 8;
};

// For files: the endpoint's model, "program", or the reward model's folder's name.
std::string judge_name(const JudgeChoice& choice);

// What each case comes to, in their order. Answers of endpoints and programs are kept in the store, and
// those that it has are not asked for again.
//
// An endpoint's price is that given, else the known one of its model; nothing on this machine. UserError
// where it is unknown, and where the estimated cost of what is to be asked is more than max_cost.
std::vector<PairVerdict> judge_pairs(const JudgeChoice& choice, AnswerStore& store,
                                     std::span<const JudgeCase> cases);
std::vector<GameVerdict> judge_games(const JudgeChoice& choice, AnswerStore& store,
                                     ArenaRules rules, std::span<const JudgeCase> games);

}  // namespace lmpo

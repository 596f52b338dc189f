// A judge that is a reward model: it prefers the answer with the higher reward.
#pragma once

#include <span>
#include <vector>

#include "judge/alpaca_judge.h"
#include "judge/arena_judge.h"
#include "train/rewards.h"

namespace lmpo {

// The preference is 1 + sigmoid(r_second - r_first): the chance of the second answer by the model that
// reward models are trained with (Bradley-Terry).
std::vector<PairVerdict> reward_pairs(const RewardOptions& options,
                                      std::span<const JudgeCase> cases);
// A>B, B>A, or A=B for equal rewards; never A>>B or B>>A, as rewards have no scale for that. Both games
// of a question come out the same.
std::vector<GameVerdict> reward_games(const RewardOptions& options,
                                      std::span<const JudgeCase> games);

}  // namespace lmpo

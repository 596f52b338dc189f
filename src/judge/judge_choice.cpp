#include "judge/judge_choice.h"

#include "base/folder_name.h"
#include "judge/program_judge.h"
#include "judge/reward_judge.h"

namespace lmpo {

std::string judge_name(const JudgeChoice& choice) {
  return choice.program.empty() ? folder_name(choice.reward.model) : "program";
}

std::vector<PairVerdict> judge_pairs(const JudgeChoice& choice, AnswerStore& store,
                                     std::span<const JudgeCase> cases) {
  return choice.program.empty() ? reward_pairs(choice.reward, cases)
                                : ask_program_pairs(choice.program, store, cases);
}

std::vector<GameVerdict> judge_games(const JudgeChoice& choice, AnswerStore& store,
                                     ArenaRules rules, std::span<const JudgeCase> games) {
  return choice.program.empty() ? reward_games(choice.reward, games)
                                : ask_program_games(choice.program, store, rules, games);
}

}  // namespace lmpo

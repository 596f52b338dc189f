// A judge that is a program of the user's: questions on its standard input, answers on its standard
// output, as JSON Lines.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "judge/alpaca_judge.h"
#include "judge/answer_store.h"
#include "judge/arena_judge.h"

namespace lmpo {

// Runs the command by the shell, once. It reads lines
//   {"index": 0, "instruction": "...", "first": "...", "second": "..."}
// and writes one line for each, in any order:
//   {"index": 0, "preference": 1.25}    for AlpacaEval: from 1, the first is better, to 2; null for none
//   {"index": 0, "verdict": "A>B"}      for Arena-Hard: a label (null for none), or in its place
//   {"index": 0, "judgment": "..."}     a text that ends with [[A>B]]
// Answers are kept; questions whose answers the store has are not asked again. UserError that names the
// line of what is no answer, and where the program fails or leaves questions without answer.
std::vector<PairVerdict> ask_program_pairs(const std::string& command, AnswerStore& store,
                                           std::span<const JudgeCase> cases);
std::vector<GameVerdict> ask_program_games(const std::string& command, AnswerStore& store,
                                           ArenaRules rules, std::span<const JudgeCase> games);

}  // namespace lmpo

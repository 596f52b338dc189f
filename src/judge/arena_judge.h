// Arena-Hard's judge: two games a question, each a text that ends with a verdict. And what stands in for
// it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/arena_files.h"
#include "judge/judge_case.h"

namespace lmpo {

struct GameVerdict {
  std::string judgment = {};              // what the judge said
  std::optional<std::string> label = {};  // "A>B"
};
using GameJudge = std::function<std::vector<GameVerdict>(std::span<const JudgeCase>)>;

// A request to a judge of chat completions, with the published prompt.
ordered_json arena_request(const std::string& judge_model, const JudgeCase& game, ArenaRules rules);

// The games of each question, one after the other: first the baseline is A, then the model is.
std::vector<JudgeCase> games_of(std::span<const ArenaQuestion> questions,
                                std::span<const ArenaAnswer> baseline,
                                std::span<const ArenaAnswer> model);

// model_judgment/JUDGE/MODEL.jsonl in the layout of the rules, from the verdicts of games_of.
struct JudgedGames {
  std::span<const ArenaQuestion> questions;
  std::string judge;
  std::string baseline;
  std::string model;
  std::span<const JudgeCase> games;
  std::span<const GameVerdict> verdicts;
};
std::string judgment_lines(const JudgedGames& judged, ArenaRules rules);

}  // namespace lmpo

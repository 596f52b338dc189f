#include "judge/arena_judge.h"

#include "base/error.h"
#include "judge/arena_prompt.h"

namespace lmpo {
namespace {

ordered_json label_or_null(const GameVerdict& verdict) {
  return verdict.label ? ordered_json(*verdict.label) : ordered_json(nullptr);
}

ordered_json game_of_2024(const JudgeCase& game, const GameVerdict& verdict) {
  return {{"user_prompt", arena_messages(game)[1]["content"]},
          {"judgment", verdict.judgment},
          {"score", label_or_null(verdict)}};
}

ordered_json game_since_2025(const JudgeCase& game, const GameVerdict& verdict) {
  return {{"score", label_or_null(verdict)},
          {"judgment", {{"answer", verdict.judgment}}},
          {"prompt", arena_messages(game)}};
}

}  // namespace

ordered_json arena_request(const std::string& judge_model, const JudgeCase& game,
                           ArenaRules rules) {
  return {{"model", judge_model},
          {"messages", arena_messages(game)},
          {"temperature", 0},
          {"max_tokens", rules == ArenaRules::v01 ? 4096 : 16000}};
}

std::vector<JudgeCase> games_of(std::span<const ArenaQuestion> questions,
                                std::span<const ArenaAnswer> baseline,
                                std::span<const ArenaAnswer> model) {
  LMPO_CHECK(questions.size() == baseline.size() && questions.size() == model.size());
  std::vector<JudgeCase> games;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    games.push_back({questions[i].prompt, baseline[i].text, model[i].text});
    games.push_back({questions[i].prompt, model[i].text, baseline[i].text});
  }
  return games;
}

std::string judgment_lines(const JudgedGames& judged, ArenaRules rules) {
  std::string lines;
  for (std::size_t i = 0; i < judged.questions.size(); ++i) {
    const ArenaQuestion& question = judged.questions[i];
    ordered_json line;
    if (rules == ArenaRules::v01) {
      line = {{"question_id", question.id}, {"model", judged.model}, {"judge", judged.judge}};
    } else {
      line = {{"uid", question.id},
              {"category", question.category},
              {"judge", judged.judge},
              {"model", judged.model},
              {"baseline", judged.baseline}};
    }
    line["games"] = ordered_json::array();
    for (std::size_t game = 2 * i; game < 2 * i + 2; ++game) {
      line["games"].push_back(rules == ArenaRules::v01
                                  ? game_of_2024(judged.games[game], judged.verdicts[game])
                                  : game_since_2025(judged.games[game], judged.verdicts[game]));
    }
    lines += json_line(line) + "\n";
  }
  return lines;
}

}  // namespace lmpo

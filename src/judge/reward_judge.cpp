#include "judge/reward_judge.h"

#include <cstddef>
#include <string>

#include "objective/objective.h"

namespace lmpo {
namespace {

std::vector<Scores> rewards_of_cases(const RewardOptions& options,
                                     std::span<const JudgeCase> cases) {
  std::vector<Samples> samples;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    samples.push_back({.key = std::to_string(i),
                       .location = "question " + std::to_string(i),
                       .prompt = {{"user", cases[i].instruction}},
                       .responses = {cases[i].first, cases[i].second}});
  }
  return rewards_of(samples, options);
}

}  // namespace

std::vector<PairVerdict> reward_pairs(const RewardOptions& options,
                                      std::span<const JudgeCase> cases) {
  std::vector<PairVerdict> verdicts;
  for (const Scores& rewards : rewards_of_cases(options, cases)) {
    verdicts.push_back(
        {.preference = 1 + sigmoid(rewards[1] - rewards[0]), .raw = {{"rewards", rewards}}});
  }
  return verdicts;
}

std::vector<GameVerdict> reward_games(const RewardOptions& options,
                                      std::span<const JudgeCase> games) {
  std::vector<GameVerdict> verdicts;
  for (const Scores& rewards : rewards_of_cases(options, games)) {
    const std::string label = rewards[0] > rewards[1]   ? "A>B"
                              : rewards[0] < rewards[1] ? "B>A"
                                                        : "A=B";
    verdicts.push_back({.judgment = "[[" + label + "]]", .label = label});
  }
  return verdicts;
}

}  // namespace lmpo

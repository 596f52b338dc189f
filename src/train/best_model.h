// Which evaluation of a run was the best, and when to stop for lack of a better one: as
// transformers' Trainer and its EarlyStoppingCallback decide.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct BestSoFar {
  std::optional<double> metric;
  std::int64_t step = 0;   // 0: there was no evaluation yet
  std::int64_t worse = 0;  // evaluations in a row that were not better by the threshold

  json to_json() const;
  static BestSoFar from_json(const json& content, std::string_view source);
};

// Takes an evaluation's entry at `step` into account. A metric that is not finite is never better.
void judge(BestSoFar& best, const json& entry, std::int64_t step, const TrainRecipe& recipe);
bool stops_early(const BestSoFar& best, const TrainRecipe& recipe);

}  // namespace lmpo

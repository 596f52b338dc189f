// The best evaluation of a run, and early stopping. The rules are those of transformers' Trainer and
// its EarlyStoppingCallback.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "recipe/train_recipe.h"

namespace lmpo {

struct BestSoFar {
  std::optional<double> metric;
  std::int64_t step = 0;   // 0: no evaluation yet
  std::int64_t worse = 0;  // evaluations in a row that were not better by the threshold

  json to_json() const;
  static BestSoFar from_json(const json& content, std::string_view source);
};

// Compares the evaluation `entry` of step `step` with the best. A metric that is not finite is never
// better. UserError where the entry lacks the recipe's metric.
void judge(BestSoFar& best, const json& entry, std::int64_t step, const TrainRecipe& recipe);
bool stops_early(const BestSoFar& best, const TrainRecipe& recipe);

}  // namespace lmpo

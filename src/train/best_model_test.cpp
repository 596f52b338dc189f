// Golden values: transformers 4.57's EarlyStoppingCallback and Trainer._determine_best_metric, by
// hand from their source.
#include "train/best_model.h"

#include <gmock/gmock.h>

#include <cmath>

namespace lmpo::best_model_test {
namespace {

// The best after evaluations with these losses, at steps 10, 20, ...
BestSoFar after(const TrainRecipe& recipe, const std::vector<double>& values) {
  BestSoFar best;
  std::int64_t step = 0;
  for (const double value : values) {
    judge(best, {{recipe.best_metric(), value}}, step += 10, recipe);
  }
  return best;
}

TEST(BestSoFar, ALossShouldBeSmall) {
  const BestSoFar best = after({}, {0.7, 0.5, 0.6, 0.5});
  EXPECT_EQ(best.metric, 0.5);
  EXPECT_EQ(best.step, 20);  // the first of two that are equal
  EXPECT_EQ(best.worse, 2);
}

TEST(BestSoFar, OtherMetricsShouldBeGreat) {
  TrainRecipe recipe;
  for (const char* name : {"rewards/accuracies", "eval_rewards/accuracies"}) {
    recipe.metric_for_best_model = name;
    EXPECT_EQ(recipe.best_metric(), "eval_rewards/accuracies");
    EXPECT_EQ(after(recipe, {0.5, 0.75, 0.7}).step, 20);
  }
  recipe.greater_is_better = false;
  EXPECT_EQ(after(recipe, {0.5, 0.75, 0.7}).step, 10);
}

// What is better by less than the threshold is the best, and still counts against the patience.
TEST(BestSoFar, TheThresholdIsOfEarlyStoppingAlone) {
  TrainRecipe recipe;
  recipe.early_stopping_threshold = 0.05;
  recipe.early_stopping_patience = 2;
  const BestSoFar best = after(recipe, {0.7, 0.68, 0.66});
  EXPECT_EQ(best.metric, 0.66);
  EXPECT_EQ(best.step, 30);
  EXPECT_EQ(best.worse, 2);
  EXPECT_TRUE(stops_early(best, recipe));
  EXPECT_FALSE(stops_early(after(recipe, {0.7, 0.68, 0.6}), recipe));
  recipe.early_stopping_patience = 0;
  EXPECT_FALSE(stops_early(best, recipe));
}

TEST(BestSoFar, WhatIsNotFiniteIsNeverBetter) {
  BestSoFar best;
  judge(best, {{"eval_loss", nullptr}}, 10, {});
  EXPECT_FALSE(best.metric.has_value());
  judge(best, {{"eval_loss", std::nan("")}}, 20, {});
  judge(best, {{"eval_loss", 3.0}}, 30, {});
  EXPECT_EQ(best.step, 30);
}

TEST(BestSoFar, SurvivesACheckpoint) {
  const BestSoFar best = after({}, {0.1 + 0.2, 0.5});
  const BestSoFar read = BestSoFar::from_json(json::parse(best.to_json().dump()), "state");
  EXPECT_EQ(read.metric, best.metric);
  EXPECT_EQ(read.step, 10);
  EXPECT_EQ(read.worse, 1);
  EXPECT_FALSE(BestSoFar::from_json(json::parse(BestSoFar().to_json().dump()), "state").metric);
}

}  // namespace
}  // namespace lmpo::best_model_test

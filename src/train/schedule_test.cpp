// Learning rates and step counts against transformers (testdata/, tools/oracle/schedule_golden.py).
#include "train/schedule.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "train/run_length.h"

namespace lmpo {
namespace {

using Scheduler = TrainRecipe::Scheduler;
using Strategy = TrainRecipe::Strategy;

TEST(Schedule, RatesEqualTransformers) {
  const fs::path golden = fs::path(LMPO_SOURCE_DIR) / "src/train/testdata/schedules.json";
  const json cases = read_json(golden);
  ASSERT_EQ(cases.size(), 16u);
  for (const json& given : cases) {
    const auto names = choice_names(Scheduler{});
    const auto name = std::find(names.begin(), names.end(), given.at("name").get<std::string>());
    TrainRecipe recipe;
    recipe.lr_scheduler_type = static_cast<Scheduler>(name - names.begin());
    recipe.warmup_steps = given.at("warmup");
    const std::int64_t total = given.at("total");
    const std::int64_t warmup = warmup_steps(recipe, total);
    for (std::int64_t step = 0; step < total; ++step) {
      EXPECT_NEAR(learning_rate_factor(recipe.lr_scheduler_type, step, warmup, total),
                  given.at("rates").at(static_cast<std::size_t>(step)).get<double>(), 1e-14)
          << *name << " step " << step << " of " << total;
    }
  }
}

TEST(Schedule, WarmupAsStepsPartOrRatio) {
  TrainRecipe recipe;
  EXPECT_EQ(warmup_steps(recipe, 100), 0);
  recipe.warmup_ratio = 0.033;
  EXPECT_EQ(warmup_steps(recipe, 100), 4);  // rounded up
  recipe.warmup_steps = 7;
  EXPECT_EQ(warmup_steps(recipe, 100), 7);
  recipe.warmup_steps = 0.25;
  EXPECT_EQ(warmup_steps(recipe, 101), 26);
}

TEST(RunLength, CountsAsTransformers) {
  TrainRecipe recipe;
  recipe.per_device_train_batch_size = 4;
  recipe.gradient_accumulation_steps = 2;
  recipe.num_train_epochs = 3;
  const RunLength whole(recipe, 83);
  EXPECT_EQ(whole.steps_per_epoch, 11);
  EXPECT_EQ(whole.total_steps, 33);
  EXPECT_DOUBLE_EQ(whole.epoch(11), 1.0);
  recipe.dataloader_drop_last = true;
  EXPECT_EQ(RunLength(recipe, 83).steps_per_epoch, 10);
  recipe.num_train_epochs = 0.25;
  EXPECT_EQ(RunLength(recipe, 83).total_steps, 3);
  recipe.max_steps = 5;
  EXPECT_EQ(RunLength(recipe, 83).total_steps, 5);
  EXPECT_THROW(RunLength(recipe, 7), UserError);
}

TEST(RunLength, WhatIsDueWhen) {
  TrainRecipe recipe;
  recipe.per_device_train_batch_size = 1;
  recipe.num_train_epochs = 1;
  recipe.logging_steps = 0.1;
  recipe.eval_strategy = Strategy::epoch;
  recipe.save_strategy = Strategy::steps;
  recipe.save_steps = 8;
  const RunLength length(recipe, 20);
  EXPECT_TRUE(length.logs_at(2));
  EXPECT_FALSE(length.logs_at(3));
  EXPECT_TRUE(length.evaluates_at(20));
  EXPECT_FALSE(length.evaluates_at(10));
  EXPECT_TRUE(length.saves_at(8));
  EXPECT_TRUE(length.saves_at(20));  // the end
  EXPECT_FALSE(length.saves_at(10));
  recipe.save_strategy = Strategy::no;
  EXPECT_FALSE(RunLength(recipe, 20).saves_at(20));
}

}  // namespace
}  // namespace lmpo

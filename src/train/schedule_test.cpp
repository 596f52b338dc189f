// Learning rates against transformers (testdata/, tools/oracle/schedule_golden.py).
#include "train/schedule.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo::schedule_test {
namespace {

using Scheduler = TrainRecipe::Scheduler;

TEST(Schedule, RatesEqualTransformers) {
  const fs::path golden = source_folder() / "src/train/testdata/schedules.json";
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

}  // namespace
}  // namespace lmpo::schedule_test

// Steps of a run and what is due at each, against transformers (testdata/,
// tools/oracle/run_length_golden.py).
#include "train/run_length.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/json.h"
#include "base/testing/test_paths.h"

namespace lmpo::run_length_test {
namespace {

using Strategy = TrainRecipe::Strategy;

Strategy strategy_of(const json& name) {
  const auto names = choice_names(Strategy{});
  const auto found = std::find(names.begin(), names.end(), name.get<std::string>());
  return static_cast<Strategy>(found - names.begin());
}

TrainRecipe recipe_of(const json& given) {
  TrainRecipe recipe;
  recipe.per_device_train_batch_size = given.at("batch");
  recipe.gradient_accumulation_steps = given.at("accumulation");
  recipe.num_train_epochs = given.at("num_train_epochs");
  recipe.max_steps = given.at("max_steps");
  recipe.warmup_steps = given.at("warmup_steps");
  recipe.logging_steps = given.at("logging_steps");
  recipe.eval_strategy = strategy_of(given.at("eval_strategy"));
  if (!given.at("eval_steps").is_null()) {
    recipe.eval_steps = given["eval_steps"].get<double>();
  }
  recipe.save_strategy = strategy_of(given.at("save_strategy"));
  recipe.save_steps = given.at("save_steps");
  return recipe;
}

TEST(RunLength, EqualsTransformers) {
  const json cases = read_json(source_folder() / "src/train/testdata/run_lengths.json");
  ASSERT_EQ(cases.size(), 8u);
  for (const json& given : cases) {
    const TrainRecipe recipe = recipe_of(given);
    const RunLength length(recipe, given.at("examples"));
    json found = {{"steps_per_epoch", length.steps_per_epoch},
                  {"total", length.total_steps},
                  {"warmup", length.warmup},
                  {"log", json::array()},
                  {"evaluate", json::array()},
                  {"save", json::array()}};
    for (std::int64_t step = 1; step <= length.total_steps; ++step) {
      const bool evaluates_last = recipe.eval_strategy != Strategy::no && length.is_last(step);
      if (length.logs_at(step)) {
        found["log"].push_back(step);
      }
      if (length.evaluates_at(step) || evaluates_last) {  // the trainer always evaluates at the end
        found["evaluate"].push_back(step);
      }
      if (length.saves_at(step)) {
        found["save"].push_back(step);
      }
    }
    EXPECT_EQ(found, given.at("expected")) << given;
  }
}

TEST(RunLength, MoreStepsThanARunCanHaveAreRefused) {
  TrainRecipe recipe;
  recipe.num_train_epochs = 1e6;
  EXPECT_NO_THROW(RunLength(recipe, 1000 * recipe.train_batch_size()));
  EXPECT_THROW(RunLength(recipe, 1001 * recipe.train_batch_size()), UserError);
}

// Incomplete global batches are left out, so that micro-batches of any size leave out the same.
TEST(RunLength, IncompleteBatchesMayBeLeftOut) {
  TrainRecipe recipe;
  recipe.dataloader_drop_last = true;
  recipe.num_train_epochs = 2;
  for (const std::int64_t micro_batch : {1, 2, 4, 8}) {
    recipe.per_device_train_batch_size = micro_batch;
    recipe.gradient_accumulation_steps = 8 / micro_batch;
    EXPECT_EQ(RunLength(recipe, 87).steps_per_epoch, 10);
    EXPECT_EQ(RunLength(recipe, 87).total_steps, 20);
    EXPECT_DOUBLE_EQ(RunLength(recipe, 87).epoch(5), 0.5);
    EXPECT_THROW(RunLength(recipe, 7), UserError);
  }
}

// transformers asks for the same: only what is saved can be the best.
TEST(RunLength, TheBestMustBeAmongTheSaved) {
  TrainRecipe recipe;
  recipe.load_best_model_at_end = true;
  recipe.eval_strategy = Strategy::steps;
  recipe.eval_steps = 4;
  recipe.save_steps = 8;
  recipe.max_steps = 100;
  EXPECT_NO_THROW(RunLength(recipe, 80));
  recipe.save_steps = 6;
  EXPECT_THROW(RunLength(recipe, 80), UserError);
  recipe.save_steps = 0.08;  // of 100
  EXPECT_NO_THROW(RunLength(recipe, 80));
}

}  // namespace
}  // namespace lmpo::run_length_test

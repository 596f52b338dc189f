// What comes out of a run does not depend on how it is cut, beyond rounding: weights and
// evaluation. Losses of every objective: trainer_test.cpp.
#include <gmock/gmock.h>

#include <cmath>

#include "train/testing/small_run.h"

namespace lmpo::layout_test {
namespace {

class LayoutTest : public lmpo::testing::SmallRun,
                   public ::testing::WithParamInterface<const char*> {};

// Adam divides by the gradient's size, so where a gradient is nearly zero its rounding moves the
// weight by as much as the learning rate: the mean is the measure.
INSTANTIATE_TEST_SUITE_P(Models, LayoutTest, ::testing::Values("llama", "llama_bias"),
                         [](const auto& given) { return std::string(given.param); });

TEST_P(LayoutTest, TwentyStepsEndAtTheSameWeights) {
  const auto run = [&](const std::string& name, std::int64_t micro_batch, std::int64_t pack_tokens,
                       const std::string& recompute) {
    TrainInputs given = inputs(name);
    given.recipe.model_name_or_path = lmpo::testing::small_model(GetParam());
    given.recipe.learning_rate = 1e-4;
    given.recipe.per_device_train_batch_size = micro_batch;
    given.recipe.gradient_accumulation_steps = 8 / micro_batch;
    given.recipe.max_pack_tokens = pack_tokens;
    given.recipe.recompute = recompute;
    run_training(std::move(given));
    return weights(name);
  };
  const std::vector<float> truth = run("whole", 8, 0, "none");
  for (const char* recompute : {"mlp", "layers"}) {
    EXPECT_EQ(truth, run("recomputed", 8, 0, recompute));  // the same numbers computed twice
  }
  int runs = 0;
  for (const auto& [micro_batch, pack_tokens] : {std::pair(1, 0), {2, 0}, {8, 70}, {4, 110}}) {
    const auto other =
        run(std::to_string(runs), micro_batch, pack_tokens, runs % 2 == 0 ? "layers" : "mlp");
    ++runs;
    ASSERT_EQ(other.size(), truth.size());
    double sum = 0;
    double worst = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const double difference = std::abs(static_cast<double>(other[i] - truth[i]));
      sum += difference;
      worst = std::max(worst, difference);
    }
    EXPECT_LT(sum / static_cast<double>(truth.size()), 1e-8) << micro_batch << " " << pack_tokens;
    EXPECT_LT(worst, 1e-5) << micro_batch << " " << pack_tokens;
  }
}

TEST_P(LayoutTest, EvaluationIsTheSame) {
  json truth;
  int runs = 0;
  for (const auto& [batch, pack_tokens] : {std::pair(8, 0), {1, 0}, {30, 0}, {5, 80}}) {
    const std::string name = std::to_string(++runs);
    TrainInputs given = inputs(name);
    given.recipe.model_name_or_path = lmpo::testing::small_model(GetParam());
    given.recipe.max_steps = 3;
    given.recipe.per_device_eval_batch_size = batch;
    given.recipe.per_device_train_batch_size = 8;
    given.recipe.max_pack_tokens = pack_tokens;
    given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(30));
    run_training(std::move(given));
    json found = read_json(folder_ / name / "eval_results.json");
    for (const char* speed : {"eval_runtime", "eval_samples_per_second", "eval_steps_per_second"}) {
      EXPECT_EQ(found.erase(speed), 1u) << speed;
    }
    if (truth.empty()) {
      truth = found;
    }
    ASSERT_EQ(found.size(), truth.size());
    EXPECT_TRUE(found.contains("eval_loss"));
    for (const auto& [metric, value] : truth.items()) {
      const double expected = value;
      EXPECT_NEAR(found.at(metric).get<double>(), expected, 2e-6 * (1 + std::abs(expected)))
          << metric << " with batches of " << batch;
    }
  }
}

}  // namespace
}  // namespace lmpo::layout_test

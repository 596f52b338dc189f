// A global batch through the model: gradients, metrics and what is left out.
#include "train/batch_runner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "objective/registry.h"
#include "train/memory_plan.h"
#include "train/testing/small_run.h"
#include "tree/testing.h"

namespace lmpo::batch_runner_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatchRunnerTest : public ::testing::Test {
 protected:
  BatchRunnerTest()
      : weights_(read_model_config(lmpo::testing::small_model()), Dtype::f32, WeightUse::training,
                 arena_),
        model_(weights_, *ops_, arena_, {.max_positions = 64, .recompute = Recompute::none}) {
    weights_.load(Checkpoint::open(lmpo::testing::small_model()), *ops_);
    weights_.zero_moments(*ops_);
    weights_.zero_gradients(*ops_);
    for (const Tree& tree : trees_) {
      batch_.push_back(&tree);
    }
  }

  std::vector<double> gradients() const {
    std::vector<double> all;
    for (const Parameter& parameter : weights_.parameters()) {
      const float* values = parameter.gradient.f32();
      all.insert(all.end(), values, values + parameter.gradient.elements());
    }
    return all;
  }

  const std::vector<Tree> trees_ = lmpo::testing::random_trees(6);
  Trees batch_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
  Arena arena_ = Arena::host(std::size_t{64} << 20);
  Weights weights_;
  LanguageModel model_;
  std::unique_ptr<Objective> objective_ = make_objective("simpo", {});
};

// The batch's gradient is the mean of its examples' own.
TEST_F(BatchRunnerTest, GradientIsTheMeanOverExamples) {
  std::vector<double> mean;
  double loss = 0;
  for (const Tree* tree : batch_) {
    weights_.zero_gradients(*ops_);
    loss += BatchRunner(model_, *objective_, false).train(std::vector{tree}, {}).loss / 6;
    const std::vector<double> one = gradients();
    mean.resize(one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      mean[i] += one[i] / 6;
    }
  }
  weights_.zero_gradients(*ops_);
  const BatchResult result = BatchRunner(model_, *objective_, false).train(batch_, {4, 0});
  EXPECT_NEAR(result.loss, loss, 1e-6);
  const std::vector<double> together = gradients();
  double largest = 0;
  for (const double value : mean) {
    largest = std::max(largest, std::abs(value));
  }
  ASSERT_GT(largest, 1e-4);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    ASSERT_NEAR(together[i], mean[i], 1e-5 * largest) << i;
  }
  EXPECT_EQ(result.metrics.means(),
            BatchRunner(model_, *objective_, false).evaluate(batch_, {4, 0}).metrics.means());
}

void expect_near(const std::map<std::string, double>& found,
                 const std::map<std::string, double>& truth) {
  ASSERT_EQ(found.size(), truth.size());
  for (const auto& [name, value] : truth) {
    EXPECT_NEAR(found.at(name), value, 1e-6 * (1 + std::abs(value))) << name;
  }
}

TEST_F(BatchRunnerTest, PacksChangeNoMetric) {
  for (const auto& [name, mode] : {std::pair("simpo", ZscoreMode::none),
                                   {"lmpo", ZscoreMode::none},
                                   {"lmpo", ZscoreMode::ema},
                                   {"lmpo", ZscoreMode::code}}) {
    ObjectiveOptions options = find_objective(name).defaults;
    options.zscore = mode;
    options.zscore_group = 2;  // of the batch's order, which packs by tokens do not keep
    using Means = std::map<std::string, double>;
    std::optional<std::pair<Means, Means>> truth;  // of training and of evaluation
    for (const PackLimits& limits :
         {PackLimits{6, 0}, PackLimits{1, 0}, PackLimits{4, 0}, PackLimits{6, 50}}) {
      const auto objective = make_objective(name, options);
      BatchRunner runner(model_, *objective, false);
      const Means trained = runner.train(batch_, limits).metrics.means();
      const Means evaluated = runner.evaluate(batch_, limits).metrics.means();
      if (!truth) {
        truth = {trained, evaluated};
        EXPECT_EQ(trained.count("rewards/margins"), 1u);
      }
      expect_near(trained, truth->first);
      expect_near(evaluated, truth->second);
    }
  }
}

// Packs by tokens hold other examples together than their order says.
TEST_F(BatchRunnerTest, ObservationsAreInTheOrderOfTheBatch) {
  const PackLimits limits = {6, 50};
  PackIndices packed;
  for (const PackIndices& pack : cut_batch(batch_, limits)) {
    packed.insert(packed.end(), pack.begin(), pack.end());
  }
  ASSERT_FALSE(std::ranges::is_sorted(packed));
  const auto objective = make_objective("lmpo", find_objective("lmpo").defaults);
  BatchRunner runner(model_, *objective, false);
  const BatchResult result = runner.train(batch_, limits);
  ASSERT_EQ(result.observations.size(), batch_.size());
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const BatchResult alone = runner.train(Trees{batch_[i]}, {});
    EXPECT_NEAR(result.observations[i].at(0), alone.observations[0].at(0), 1e-6) << i;
  }
}

TEST_F(BatchRunnerTest, EvaluationMovesNothing) {
  for (const ZscoreMode mode : {ZscoreMode::ema, ZscoreMode::running}) {
    ObjectiveOptions options = find_objective("lmpo").defaults;
    options.zscore = mode;
    const auto objective = make_objective("lmpo", options);
    BatchRunner runner(model_, *objective, false);
    const BatchResult trained = runner.train(batch_, {});
    objective->end_step(trained.context, trained.observations);
    const std::vector<double> before = gradients();
    const json state = objective->state();
    ASSERT_FALSE(state.empty());
    const double loss = runner.evaluate(batch_, {}).loss;
    EXPECT_EQ(gradients(), before);
    EXPECT_EQ(objective->state(), state);
    EXPECT_EQ(runner.evaluate(batch_, {}).loss, loss);
  }
}

// A weight that only one example meets (token 47) makes that example's scores non-finite.
class NonFinite : public BatchRunnerTest {
 protected:
  NonFinite() {
    poisoned_.row = 41;
    poisoned_.sequences = {{{5, 47, 6, 7}, 2}, {{5, 47, 8}, 2}};
    poison(weights_);
  }

  static void poison(const Weights& weights) {
    const std::int64_t width = weights.config().hidden_size;
    weights.embedding.value.f32()[47 * width] = std::numeric_limits<float>::infinity();
  }

  Tree poisoned_;
};

TEST_F(NonFinite, StopsWithTheRowNamed) {
  batch_.push_back(&poisoned_);
  const std::string message = user_error_of([&] {
    BatchRunner(model_, *objective_, false).train(batch_, {8, 0});
  });
  EXPECT_THAT(message, HasSubstr("41"));
  EXPECT_THAT(message, HasSubstr("skip_nonfinite"));
}

TEST_F(NonFinite, IsSkippedWhenAsked) {
  const BatchResult without = BatchRunner(model_, *objective_, false).train(batch_, {2, 0});
  const std::vector<double> expected = gradients();
  weights_.zero_gradients(*ops_);
  batch_.push_back(&poisoned_);
  const BatchResult result = BatchRunner(model_, *objective_, true).train(batch_, {2, 0});
  EXPECT_THAT(result.skipped, ElementsAre(41));
  EXPECT_NEAR(result.loss, without.loss * 6 / 7, 1e-6);  // it counts as zero
  const std::vector<double> found = gradients();
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i] * 6 / 7, 1e-6 * (1 + std::abs(expected[i]))) << i;
  }
}

// The statistics after a batch with a skipped row are those of a batch without it, to the last bit.
TEST_F(NonFinite, LeavesNoTraceInTheStatistics) {
  for (const ZscoreMode mode : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    ObjectiveOptions options = find_objective("lmpo").defaults;
    options.zscore = mode;
    options.zscore_group = 2;
    const auto with = make_objective("lmpo", options);
    const auto without = make_objective("lmpo", options);
    Trees poisoned = batch_;
    poisoned.insert(poisoned.begin() + 3, &poisoned_);
    for (int step = 0; step < 3; ++step) {
      const BatchResult other = BatchRunner(model_, *without, true).train(batch_, {1, 0});
      without->end_step(other.context, other.observations);
      const BatchResult result = BatchRunner(model_, *with, true).train(poisoned, {1, 0});
      with->end_step(result.context, result.observations);
      EXPECT_THAT(result.skipped, ElementsAre(41));
      EXPECT_EQ(result.metrics.means(), other.metrics.means());
      EXPECT_EQ(with->state(), without->state());
    }
  }
}

// Rows that are skipped must not let others move together into a larger pack than was planned.
TEST_F(NonFinite, LeavesThePacksAsPlanned) {
  std::vector<Tree> trees = lmpo::testing::random_trees(4);
  for (const std::size_t large : {0UL, 1UL}) {
    for (Sequence& sequence : trees[large].sequences) {
      testing::edit(sequence.tokens, [](auto& ids) { ids.resize(60, 9); });
    }
  }
  const Trees batch = {&poisoned_, &trees[0], &trees[1], &trees[2]};
  const PackLimits limits = {2, 0};
  LargestPacks training;
  training.add(batch, limits);
  const LanguageModelOptions options = {.max_positions = 64, .recompute = Recompute::none};
  const MemoryPlan plan =
      plan_memory(weights_.config(), {Dtype::f32}, options, training, LargestPacks(), *ops_);
  Arena arena = Arena::host(plan.arena);
  Weights weights(weights_.config(), Dtype::f32, WeightUse::training, arena);
  weights.load(Checkpoint::open(lmpo::testing::small_model()), *ops_);
  weights.zero_gradients(*ops_);
  poison(weights);
  LanguageModel model(weights, *ops_, arena, options);
  for (const ZscoreMode mode : {ZscoreMode::none, ZscoreMode::running, ZscoreMode::ema}) {
    ObjectiveOptions objective_options;
    objective_options.zscore = mode;
    const auto objective = make_objective("lmpo", objective_options);
    EXPECT_EQ(objective->needs_batch_scores(), mode != ZscoreMode::none);
    BatchRunner runner(model, *objective, true);
    EXPECT_THAT(runner.train(batch, limits).skipped, ElementsAre(41));
    EXPECT_THAT(runner.evaluate(batch, limits).skipped, ElementsAre(41));
  }
}

TEST_F(NonFinite, ABatchOfNothingElseIsNoUpdate) {
  const Trees batch = {&poisoned_};
  for (const ObjectiveInfo& info : objectives()) {
    const auto objective = info.make(info.defaults);
    if (objective->form() == ExampleForm::pair && objective->extra() == ExtraResponse::none) {
      BatchRunner runner(model_, *objective, true);
      for (const BatchResult& result : {runner.train(batch, {}), runner.evaluate(batch, {})}) {
        EXPECT_THAT(result.skipped, ElementsAre(41));
        EXPECT_EQ(result.loss, 0);
        EXPECT_TRUE(result.metrics.means().empty());
      }
      EXPECT_THAT(gradients(), Each(0));
    }
  }
}

}  // namespace
}  // namespace lmpo::batch_runner_test

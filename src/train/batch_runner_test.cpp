// A global batch through the model: gradients, metrics and what is left out.
#include "train/batch_runner.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "objective/registry.h"
#include "train/optimizer.h"
#include "train/testing/small_run.h"

namespace lmpo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatchRunnerTest : public ::testing::Test {
 protected:
  explicit BatchRunnerTest(Dtype storage = Dtype::f32)
      : weights_(read_model_config(lmpo::testing::small_model()), storage, WeightUse::training,
                 arena_),
        model_(weights_, *ops_, arena_, {.max_positions = 64, .recompute = false}) {
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
  std::vector<const Tree*> batch_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
  Arena arena_ = Arena::host(std::size_t{64} << 20);
  Weights weights_;
  Llama model_;
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

// A weight that only one example meets (token 47) makes that example's scores non-finite.
class NonFinite : public BatchRunnerTest {
 protected:
  NonFinite() {
    poisoned_.row = 41;
    poisoned_.sequences = {{{5, 47, 6, 7}, 2}, {{5, 47, 8}, 2}};
    const std::int64_t width = weights_.config().hidden_size;
    for (const NamedParameter& named : weights_.named()) {
      if (named.name == "model.embed_tokens.weight") {
        named.parameter.value.f32()[47 * width] = std::numeric_limits<float>::infinity();
      }
    }
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

TEST_F(NonFinite, IsLeftOutWhenAsked) {
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

// torch: clip_grad_norm_ then AdamW, whose first step moves by the learning rate where there is a
// gradient; norms of the model do not decay.
TEST_F(BatchRunnerTest, OptimizerClipsAndDecaysOnlyMatrices) {
  BatchRunner(model_, *objective_, false).train(batch_, {});
  const double norm = gradient_norm(weights_, *ops_);
  double squares = 0;
  for (const double value : gradients()) {
    squares += value * value;
  }
  EXPECT_NEAR(norm, std::sqrt(squares), 1e-6 * norm);
  const OptimizerOptions options = {.weight_decay = 0.5, .max_grad_norm = norm / 4};
  std::vector<std::vector<double>> before;
  for (const NamedParameter& named : weights_.named()) {
    const float* values = named.parameter.value.f32();
    before.emplace_back(values, values + named.parameter.value.elements());
  }
  adamw_step(weights_, *ops_, options, 1, 0.01, norm);
  std::size_t index = 0;
  for (const NamedParameter& named : weights_.named()) {
    const bool decays = named.name.find("norm") == std::string::npos;
    for (std::int64_t i = 0; i < named.parameter.value.elements(); ++i) {
      const double g = static_cast<double>(named.parameter.gradient.f32()[i]) / 4;
      const double w = before[index][static_cast<std::size_t>(i)];
      const double expected =
          w * (decays ? 1 - 0.01 * 0.5 : 1) - 0.01 * g / (std::abs(g) + options.epsilon);
      ASSERT_NEAR(named.parameter.value.f32()[i], expected, 2e-5) << named.name << " " << i;
    }
    ++index;
  }
}

}  // namespace
}  // namespace lmpo

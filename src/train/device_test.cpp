// Training on every device that this program was built for ends where the CPU's ends.
#include "ops/device.h"

#include <gtest/gtest.h>

#include "train/testing/small_run.h"

namespace lmpo::device_test {
namespace {

// A run of three steps on a device of this name, in float32.
class TrainingOnDevice : public lmpo::testing::SmallRun,
                         public ::testing::WithParamInterface<const char*> {
 protected:
  void train(const char* device) const {
    TrainInputs given = inputs(device);
    given.recipe.model_name_or_path = lmpo::testing::small_model(GetParam());
    given.recipe.device = device;
    given.recipe.compute = "float32";
    given.recipe.max_steps = 3;
    given.recipe.per_device_train_batch_size = 2;
    EXPECT_EQ(run_training(std::move(given)), TrainOutcome::done);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, TrainingOnDevice,
                         ::testing::Values("llama_bias", "mistral", "ministral3", "gemma2",
                                           "gemma3_text", "granite", "olmo3",
                                           "phi3_longrope_partial", "qwen2_window", "qwen3",
                                           "smollm3"),
                         [](const auto& made) { return std::string(made.param); });

// Adam divides by the gradient's size, so where a gradient is nearly zero its rounding moves the
// weight by as much as the learning rate: the mean is the measure.
TEST_P(TrainingOnDevice, EndsWhereTheCpusEnds) {
  if (cuda_devices().empty()) {
    GTEST_SKIP() << "this machine has no GPU, or the program was built without CUDA";
  }
  train("cpu");
  train("cuda");
  const std::vector<double> expected = losses("cpu");
  const std::vector<double> found = losses("cuda");
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-5 * std::abs(expected[i])) << "step " << i + 1;
  }
  const std::vector<float> of_cpu = weights("cpu");
  const std::vector<float> of_gpu = weights("cuda");
  ASSERT_EQ(of_gpu.size(), of_cpu.size());
  double sum = 0;
  for (std::size_t i = 0; i < of_cpu.size(); ++i) {
    sum += std::abs(static_cast<double>(of_gpu[i]) - static_cast<double>(of_cpu[i]));
  }
  EXPECT_LT(sum / static_cast<double>(of_cpu.size()), 1e-6);  // the learning rate is 1e-3
}

}  // namespace
}  // namespace lmpo::device_test

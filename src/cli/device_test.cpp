// Devices that people ask for and this program or machine does not have.
#include "ops/device.h"

#include <gmock/gmock.h>

#include "cli/testing/bad_input.h"

namespace lmpo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DeviceInput : public BadInput {
 protected:
  // Every command that computes, on a device of this name.
  std::vector<Words> commands(const std::string& device) const {
    std::vector<Words> all = {train(model(), pairs()),
                              score(model(), pairs()),
                              generate(model()),
                              {"bench", "-m", (model() / "config.json").string()}};
    for (Words& words : all) {
      words.insert(words.end(), {"--device", device});
    }
    return all;
  }
};

TEST_F(DeviceInput, ANameThatIsNone) {
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x"}) {
    for (const Words& words : commands(name)) {
      expect_refusal(words, AllOf(HasSubstr(std::string("device ") + name),
                                  HasSubstr("auto, cpu, cuda or cuda:NUMBER was expected")));
    }
  }
}

TEST_F(DeviceInput, AProgramWithoutCuda) {
  if (has_cuda()) {
    GTEST_SKIP() << "this program was built with CUDA";
  }
  for (const Words& words : commands("cuda")) {
    expect_refusal(words, AllOf(HasSubstr("built without CUDA"), HasSubstr("--preset cuda")));
  }
}

// No driver, or one that shows no GPU: the machine's failure, and nothing is written.
TEST_F(DeviceInput, AMachineWithoutAGpu) {
  if (!has_cuda()) {
    GTEST_SKIP() << "this program was built without CUDA";
  }
  for (const Words& words : commands("cuda")) {
    const Result result = run(words, {.environment = {{"CUDA_VISIBLE_DEVICES", "-1"}}});
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("--device cpu"));
    EXPECT_FALSE(fs::exists(path("out")));
  }
}

TEST_F(DeviceInput, AGpuThatIsNotThere) {
  if (cuda_devices().empty()) {
    GTEST_SKIP() << "this machine has no GPU";
  }
  for (const Words& words : commands("cuda:99")) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("there is no GPU 99"));
  }
}

}  // namespace
}  // namespace lmpo

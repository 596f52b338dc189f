// Devices that people ask for and this program or machine does not have.
#include "ops/device.h"

#include <gmock/gmock.h>

#include "cli/testing/bad_input.h"

namespace lmpo::device_test {
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

#ifdef LMPO_FAILING_DRIVER
// What the commands say where the driver fails so (testing/failing_driver).
class DriverInput : public DeviceInput {
 protected:
  using Faults = std::vector<std::pair<std::string, std::string>>;

  Result run_with(Faults faults, const Words& words) const {
    const char* libraries = std::getenv("LD_LIBRARY_PATH");
    faults.emplace_back("LD_LIBRARY_PATH", std::string(LMPO_FAILING_DRIVER) + ":" +
                                               (libraries == nullptr ? "" : libraries));
    return run(words, {.environment = faults});
  }

  void expect_failure(const Faults& faults, const ::testing::Matcher<std::string>& says) const {
    for (const Words& words : commands("cuda")) {
      const Result result = run_with(faults, words);
      EXPECT_EQ(result.exit_code, 1) << result.err;
      EXPECT_THAT(result.err, says);
      EXPECT_FALSE(fs::exists(path("out")));
    }
  }
};

TEST_F(DriverInput, ADriverThatIsTooOld) {
  expect_failure({{"FAILING_DRIVER_VERSION", "11040"}},
                 AllOf(HasSubstr("driver is too old: it knows CUDA 11.4"),
                       HasSubstr("or run with --device cpu")));
}

TEST_F(DriverInput, ADriverWithoutAGpu) {
  expect_failure({{"FAILING_DRIVER_START", "100"}},  // CUDA_ERROR_NO_DEVICE
                 AllOf(HasSubstr("no GPU can be used"), HasSubstr("cudaErrorNoDevice"),
                       HasSubstr("--device cpu")));
}

TEST_F(DriverInput, ADriverThatDoesNotFitItsKernelModule) {
  expect_failure({{"FAILING_DRIVER_START", "803"}},  // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
                 AllOf(HasSubstr("no GPU can be used"), HasSubstr("cudaErrorSystemDriverMismatch"),
                       HasSubstr("--device cpu")));
}

TEST_F(DriverInput, TheCpuServesUnlessAGpuWasAskedFor) {
  Words words = score(model(), pairs());
  words.insert(words.end(), {"--device", "auto"});
  const Result result = run_with({{"FAILING_DRIVER_VERSION", "11040"}}, words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("on the CPU: the NVIDIA driver is too old"));
  EXPECT_THAT(run_with({{"FAILING_DRIVER_START", "100"}}, {"env"}).out,
              HasSubstr("built in; no GPU can be used"));
}

// A card that fails between two checkpoints, or before the first: exit 1, and what was saved before
// is whole.
TEST_F(DriverInput, ACardThatFailsWhileItTrains) {
  if (cuda_devices().empty()) {
    GTEST_SKIP() << "this machine has no GPU";
  }
  Words words = train(model(), pairs());
  words.insert(words.end(), {"--device", "cuda", "--save_steps", "1", "--max_steps", "4"});
  ASSERT_EQ(run_with({}, words).exit_code, 0);
  const std::string whole = read_file(path("out/model.safetensors"));
  const Faults faults[] = {{{"FAILING_DRIVER_LAUNCH", "500:214"}},  // CUDA_ERROR_ECC_UNCORRECTABLE
                           {{"FAILING_DRIVER_WAIT", "6:719"}}};     // CUDA_ERROR_LAUNCH_FAILED
  for (const Faults& fault : faults) {
    fs::remove_all(path("out"));
    const Result result = run_with(fault, words);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("the GPU failed"));
    EXPECT_FALSE(fs::exists(path("out/model.safetensors")));
    Words again = words;
    again.emplace_back(fs::exists(path("out/checkpoint-1")) ? "--resume"
                                                            : "--overwrite_output_dir");
    const Result resumed = run_with({}, again);
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_EQ(read_file(path("out/model.safetensors")), whole);
  }
}
#endif

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
}  // namespace lmpo::device_test

// The devices that every test of an op runs on. A new device joins by a line in test_devices().
// Those of a program built with CUDA are skipped where the machine has no GPU.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "ops/device.h"

namespace lmpo::testing {

struct TestDevice {
  std::string name;
  Dtype compute;
  std::unique_ptr<Device> (*open)();  // null where the machine has none
  bool reads_indices;                 // and so refuses those that are out of range
};

// For the name of a test.
inline void PrintTo(const TestDevice& device, std::ostream* out) {
  *out << device.name;
}

inline std::unique_ptr<Device> open_gpu() {
  return cuda_devices().empty() ? nullptr : make_cuda_device(0);
}

inline std::vector<TestDevice> test_devices() {
  std::vector<TestDevice> devices = {{"cpu", Dtype::f32, make_cpu_device, true}};
  if (has_cuda()) {
    devices.push_back({"cuda_float32", Dtype::f32, open_gpu, false});
    devices.push_back({"cuda_bfloat16", Dtype::bf16, open_gpu, false});
  }
  return devices;
}

// What a test is given, on every device; skipped on those that the machine does not have.
template <typename Case>
class DeviceTest : public ::testing::TestWithParam<std::tuple<Case, TestDevice>> {
 protected:
  void SetUp() override {
    device_ = on().open();
    if (device_ == nullptr) {
      GTEST_SKIP() << "this machine has no GPU";
    }
  }
  const Case& given() const { return std::get<0>(this->GetParam()); }
  const TestDevice& on() const { return std::get<1>(this->GetParam()); }
  // Whether products have factors of 16 bits.
  bool rounds() const { return on().compute != Dtype::f32; }

  std::unique_ptr<Device> device_;
};

// A device and the storage of weights: for ops that take any storage.
struct OpsCase {
  TestDevice device;
  Dtype storage;
};

inline std::vector<OpsCase> every_device() {
  std::vector<OpsCase> cases;
  for (const TestDevice& device : test_devices()) {
    cases.push_back({device, device.compute});
  }
  return cases;
}

inline std::vector<OpsCase> every_storage() {
  std::vector<OpsCase> cases;
  for (const TestDevice& device : test_devices()) {
    for (const Dtype storage : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      cases.push_back({device, storage});
    }
  }
  return cases;
}

inline std::string describe(const OpsCase& given) {
  return given.device.name + "_" + std::string(dtype_name(given.storage));
}
inline std::string case_name(const ::testing::TestParamInfo<OpsCase>& info) {
  return describe(info.param);
}
inline void PrintTo(const OpsCase& given, std::ostream* out) {
  *out << describe(given);
}

}  // namespace lmpo::testing

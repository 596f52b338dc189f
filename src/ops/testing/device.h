// The devices that every test of an op runs on. A new device joins by a line in test_devices().
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "ops/ops.h"

namespace lmpo::testing {

struct TestDevice {
  std::string name;
  std::unique_ptr<Ops> (*make_ops)();
  Arena (*make_arena)(std::size_t capacity);
};

inline std::vector<TestDevice> test_devices() {
  return {
      {"cpu", [] { return make_cpu_ops(); }, Arena::host},
  };
}

// A device and the storage of weights: for ops that take any storage.
struct OpsCase {
  TestDevice device;
  Dtype storage;
};

inline std::vector<OpsCase> every_device() {
  std::vector<OpsCase> cases;
  for (const TestDevice& device : test_devices()) {
    cases.push_back({device, device.make_ops()->compute_dtype()});
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

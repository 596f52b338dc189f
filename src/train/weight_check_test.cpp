#include "train/weight_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tensor/arena.h"
#include "train/testing/small_run.h"

namespace lmpo::weight_check_test {
namespace {

void set_element(const Tensor& tensor, std::int64_t index, float value) {
  const auto at = static_cast<std::size_t>(index);
  switch (tensor.dtype()) {
    case Dtype::bf16:
      static_cast<bfloat16*>(tensor.data())[at] = to_bfloat16(value);
      break;
    case Dtype::f16:
      static_cast<float16*>(tensor.data())[at] = to_float16(value);
      break;
    default:
      static_cast<float*>(tensor.data())[at] = value;
  }
}

class FirstNonfinite : public ::testing::TestWithParam<Dtype> {};

INSTANTIATE_TEST_SUITE_P(Types, FirstNonfinite,
                         ::testing::Values(Dtype::f32, Dtype::bf16, Dtype::f16));

TEST_P(FirstNonfinite, NamesTheTensorWhereverTheElementIs) {
  Arena arena = Arena::host(std::size_t{16} << 20);
  const std::unique_ptr<Ops> ops = make_cpu_ops();
  Weights weights(read_model_config(lmpo::testing::small_model()), GetParam(), WeightUse::inference,
                  arena);
  weights.initialize(1, *ops);
  EXPECT_EQ(first_nonfinite(weights, *ops), "");
  for (const NamedParameter& named : weights.named()) {
    const Tensor& tensor = named.parameter.value;
    for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
      for (const std::int64_t index : {std::int64_t{0}, tensor.elements() - 1}) {
        set_element(tensor, index, value);
        EXPECT_EQ(first_nonfinite(weights, *ops), named.name);
        set_element(tensor, index, 60000.0F);  // large, and finite in every type
        EXPECT_EQ(first_nonfinite(weights, *ops), "");
      }
    }
  }
}

}  // namespace
}  // namespace lmpo::weight_check_test

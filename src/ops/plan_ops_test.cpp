#include <gtest/gtest.h>

#include "ops/ops.h"

namespace lmpo {
namespace {

TEST(PlanOps, RunAgainstMemoryThatIsNotThere) {
  const auto real = make_cpu_ops();
  const auto plan = make_plan_ops(*real);
  EXPECT_FALSE(plan->computes());
  EXPECT_TRUE(real->computes());
  EXPECT_EQ(plan->compute_dtype(), real->compute_dtype());
  EXPECT_EQ(plan->head_workspace(100, 64, 32000, Dtype::bf16),
            real->head_workspace(100, 64, 32000, Dtype::bf16));
  Arena arena = Arena::counting();
  const Tensor x = arena.allocate("x", Dtype::f32, {4, 4});
  plan->linear_forward(x, x, x, false);
  EXPECT_EQ(plan->sum_of_squares({&x, 1}), 0.0);
  std::vector<float> host(16, 1.0F);
  plan->download(host.data(), x);
  EXPECT_EQ(host, std::vector<float>(16, 0.0F));
}

}  // namespace
}  // namespace lmpo

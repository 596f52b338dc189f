#include <gtest/gtest.h>

#include "base/error.h"
#include "base/threads.h"
#include "ops/ops.h"
#include "ops/testing/heads.h"
#include "tensor/arena.h"

namespace lmpo::plan_ops_test {
namespace {

bool has_bfloat16_products() {
  try {
    make_cpu_ops(Dtype::bf16);
  } catch (const UserError&) {
    return false;
  }
  return true;
}

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
  plan->run(LinearForward{.y = x, .x = x, .w = x});
  EXPECT_EQ(plan->sum_of_squares({&x, 1}), 0.0);
  std::vector<float> host(16, 1.0F);
  plan->download(host.data(), x);
  EXPECT_EQ(host, std::vector<float>(16, 0.0F));
}

// bfloat16 factors are copies: a panel of each for every thread. float32 ones are not.
TEST(PlanOps, CountCopiesOfFactors) {
  set_threads(2);
  Arena arena = Arena::counting();
  const Tensor x = arena.allocate("x", Dtype::f32, {1024, 512});
  const Tensor w = arena.allocate("w", Dtype::f32, {2048, 512});
  const Tensor y = arena.allocate("y", Dtype::f32, {1024, 2048});
  const auto scratch_of = [&](const Ops& real) {
    const auto plan = make_plan_ops(real);
    plan->run(LinearForward{.y = y, .x = x, .w = w});
    return plan->planned_scratch();
  };
  EXPECT_EQ(scratch_of(*make_cpu_ops()), 0u);
  if (has_bfloat16_products()) {
    // The largest: dx[1024, 512], a sum over 2048, in two panels of 512 rows.
    EXPECT_EQ(scratch_of(*make_cpu_ops(Dtype::bf16)), 2u * 2 * (512 * 2048 + 2048 * 512));
  }
}

// Attention copies what a tree's key head needs, once a thread.
TEST(PlanOps, CountRowsOfTheLongestTree) {
  set_threads(2);
  const auto real = make_cpu_ops();
  const auto plan = make_plan_ops(*real);
  const AttentionShape shape = testing::heads(4, 2, 64);
  const std::vector<Pack::Segment> segments{{0, 100, 0, 0}, {100, 150, 0, 100}, {150, 180, 0, 0}};
  plan->run(AttentionForward{
      .out = {}, .lse = {}, .qkv = {}, .positions = {}, .segments = segments, .shape = shape});
  EXPECT_EQ(plan->planned_scratch(), 2u * (6 * 150 + 5 * 128) * 64 * sizeof(float));
}

}  // namespace
}  // namespace lmpo::plan_ops_test

#include "ops/timed_ops.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "ops/testing/heads.h"
#include "tensor/arena.h"

namespace lmpo::timed_ops_test {
namespace {

class TimedOpsTest : public ::testing::Test {
 protected:
  Tensor random(std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena_.allocate("test", Dtype::f32, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.f32()[i] = static_cast<float>(random_.normal());
    }
    return tensor;
  }
  Tensor indices(const std::vector<std::int32_t>& values) {
    const Tensor tensor = arena_.allocate("test", Dtype::i32, {std::ssize(values)});
    std::copy(values.begin(), values.end(), tensor.i32());
    return tensor;
  }

  std::unique_ptr<Ops> inner_ = make_cpu_ops();
  StepTimes times_;
  std::unique_ptr<Ops> ops_ = make_timed_ops(*inner_, times_);
  Arena arena_ = Arena::host(1 << 20);
  Random random_{1, 0};
};

TEST_F(TimedOpsTest, PassesOnAndCountsForTheNamedPart) {
  const Tensor x = random({6, 5});
  const Tensor w = random({7, 5});
  const Tensor y = random({6, 7});
  const Tensor expected = random({6, 7});
  inner_->run(LinearForward{.y = expected, .x = x, .w = w});
  ops_->run(LinearForward{.y = y, .x = x, .w = w, .part = StepPart::qkv});
  EXPECT_TRUE(std::equal(y.f32(), y.f32() + 42, expected.f32()));
  ops_->run(LinearBackwardInput{.dx = x, .dy = y, .w = w});
  ops_->run(LinearBackwardWeight{.dw = w, .dy = y, .x = x});

  constexpr double kOperations = 2.0 * 6 * 7 * 5;
  EXPECT_EQ(times_.at(StepPart::qkv, Direction::forward).operations, kOperations);
  EXPECT_GT(times_.at(StepPart::qkv, Direction::forward).seconds, 0);
  EXPECT_EQ(times_.at(StepPart::qkv, Direction::backward).seconds, 0);
  EXPECT_EQ(times_.at(StepPart::mlp, Direction::backward).operations, 2 * kOperations);
  EXPECT_EQ(times_.total().operations, 3 * kOperations);
}

TEST_F(TimedOpsTest, CountsOnlyPairsThatSeeOneAnother) {
  // A trunk of 3 and branches of 2 and 1: 1+2+3, then 3 keys of the trunk and the branch's own.
  const std::vector<Pack::Segment> segments = {{0, 3, 0, 0}, {3, 5, 0, 3}, {5, 6, 0, 3}};
  EXPECT_EQ(visible_pairs(segments, 0), 6 + (4 + 5) + 4);
  EXPECT_EQ(visible_pairs(segments, 2), (1 + 2 + 2) + (2 + 2) + 2);

  const AttentionShape shape = testing::heads(4, 2, 8);
  const Tensor positions = indices({0, 1, 2, 3, 4, 3});
  const Tensor qkv = random({6, 64});
  const Tensor out = random({6, 32});
  const Tensor lse = random({4, 6});
  ops_->run(AttentionForward{.out = out,
                             .lse = lse,
                             .qkv = qkv,
                             .positions = positions,
                             .segments = segments,
                             .shape = shape});
  ops_->run(AttentionBackward{.dqkv = random({6, 64}),
                              .dout = random({6, 32}),
                              .out = out,
                              .lse = lse,
                              .qkv = qkv,
                              .positions = positions,
                              .segments = segments,
                              .shape = shape,
                              .scratch = random({4, 6})});
  constexpr double kForward = 4.0 * 19 * 4 * 8;  // two products over pairs, heads and head size
  EXPECT_EQ(times_.at(StepPart::attention, Direction::forward).operations, kForward);
  EXPECT_EQ(times_.at(StepPart::attention, Direction::backward).operations, 2 * kForward);
}

TEST_F(TimedOpsTest, EveryPartHasAName) {
  for (std::size_t i = 0; i < kStepParts; ++i) {
    EXPECT_FALSE(name(static_cast<StepPart>(i)).empty());
  }
}

}  // namespace
}  // namespace lmpo::timed_ops_test

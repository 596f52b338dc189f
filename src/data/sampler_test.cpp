#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace lmpo::sampler_test {
namespace {

using Batch = std::vector<std::int64_t>;

std::vector<Batch> take(Sampler& sampler, std::int64_t count) {
  std::vector<Batch> batches;
  for (std::int64_t index = 0; index < count; ++index) {
    batches.push_back(sampler.next());
  }
  return batches;
}

Batch flatten(const std::vector<Batch>& batches) {
  Batch all;
  for (const Batch& batch : batches) {
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

TEST(Sampler, AnEpochHoldsEveryExampleOnceAndEndsWithASmallerBatch) {
  Sampler sampler(10, {.global_batch = 4, .seed = 1});
  ASSERT_EQ(sampler.batches_per_epoch(), 3);
  Batch all_indices(10);
  std::iota(all_indices.begin(), all_indices.end(), 0);
  Batch previous;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const auto batches = take(sampler, 3);
    EXPECT_EQ(batches[2].size(), 2u);
    Batch all = flatten(batches);
    EXPECT_NE(all, previous);
    previous = all;
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, all_indices);
    EXPECT_EQ(sampler.state(), (SamplerState{epoch + 1, 0}));
  }
}

TEST(Sampler, DropLastLeavesTheIncompleteBatchOut) {
  Sampler sampler(10, {.global_batch = 4, .drop_last = true});
  EXPECT_EQ(sampler.batches_per_epoch(), 2);
  for (const Batch& batch : take(sampler, 5)) {
    EXPECT_EQ(batch.size(), 4u);
  }
  EXPECT_EQ(sampler.state(), (SamplerState{2, 4}));
}

TEST(Sampler, ABatchLargerThanTheDataIsTheWholeEpoch) {
  Sampler sampler(3, {.global_batch = 8});
  EXPECT_EQ(sampler.batches_per_epoch(), 1);
  EXPECT_EQ(sampler.next().size(), 3u);
}

TEST(Sampler, WithoutShuffleTheDatasOwnOrder) {
  Sampler sampler(5, {.global_batch = 2, .shuffle = false});
  EXPECT_EQ(take(sampler, 4), (std::vector<Batch>{{0, 1}, {2, 3}, {4}, {0, 1}}));
}

TEST(Sampler, TheOrderDependsOnTheSeedAndNotOnTheBatchSize) {
  Sampler a(40, {.global_batch = 4, .seed = 7});
  Sampler b(40, {.global_batch = 10, .seed = 7});
  Sampler c(40, {.global_batch = 4, .seed = 8});
  const Batch order = flatten(take(a, 20));
  EXPECT_EQ(order, flatten(take(b, 8)));
  EXPECT_NE(order, flatten(take(c, 20)));
}

TEST(Sampler, ResumedAtAnyPointItGoesOnTheSameWay) {
  const SamplerOptions options{.global_batch = 3, .seed = 5};
  Sampler unbroken(11, options);
  const auto expected = take(unbroken, 12);
  for (std::int64_t stop = 0; stop < 12; ++stop) {
    Sampler first(11, options);
    take(first, stop);
    Sampler second(11, options);
    second.restore(first.state());
    EXPECT_EQ(take(second, 12 - stop), std::vector<Batch>(expected.begin() + stop, expected.end()));
  }
}

}  // namespace
}  // namespace lmpo::sampler_test

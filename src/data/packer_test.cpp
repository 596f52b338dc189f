#include "data/packer.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace lmpo {
namespace {

// A tree of one sequence with `size` input tokens.
Tree tree_of(std::int64_t size) {
  return {.sequences = {{.tokens = std::vector<std::int32_t>(static_cast<std::size_t>(size) + 1)}}};
}

class PackerTest : public ::testing::Test {
 protected:
  std::span<const Tree* const> batch(const std::vector<std::int64_t>& sizes) {
    trees_.clear();
    pointers_.clear();
    for (const std::int64_t size : sizes) {
      trees_.push_back(tree_of(size));
    }
    for (const Tree& tree : trees_) {
      pointers_.push_back(&tree);
    }
    return pointers_;
  }

  std::vector<Tree> trees_;
  std::vector<const Tree*> pointers_;
};

using Packs = std::vector<PackRange>;

TEST_F(PackerTest, CutsByNumberOfTrees) {
  EXPECT_EQ(cut_into_packs(batch({1, 1, 1, 1, 1}), 2, 0), (Packs{{0, 2}, {2, 4}, {4, 5}}));
  EXPECT_EQ(cut_into_packs(batch({1, 1}), 9, 0), (Packs{{0, 2}}));
  EXPECT_TRUE(cut_into_packs({}, 2, 5).empty());
}

TEST_F(PackerTest, CutsByTokensAndLetsALargeTreeStandAlone) {
  EXPECT_EQ(cut_into_packs(batch({2, 3, 1, 9, 1, 5}), 9, 5),
            (Packs{{0, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}}));
}

TEST_F(PackerTest, CoversTheBatchWithinTheLimitsAsLongAsPossible) {
  Random random(3, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::int64_t> sizes(random.below(30));
    for (std::int64_t& size : sizes) {
      size = static_cast<std::int64_t>(random.below(20)) + 1;
    }
    const auto max_trees = static_cast<std::int64_t>(random.below(6)) + 1;
    const auto max_tokens = static_cast<std::int64_t>(random.below(40));
    const auto trees = batch(sizes);
    std::int64_t next = 0;
    for (const PackRange& pack : cut_into_packs(trees, max_trees, max_tokens)) {
      EXPECT_EQ(pack.begin, next);
      EXPECT_LT(pack.begin, pack.end);
      next = pack.end;
      std::int64_t tokens = 0;
      for (std::int64_t index = pack.begin; index < pack.end; ++index) {
        tokens += sizes[static_cast<std::size_t>(index)];
      }
      const std::int64_t count = pack.end - pack.begin;
      EXPECT_LE(count, max_trees);
      EXPECT_TRUE(max_tokens == 0 || tokens <= max_tokens || count == 1);
      if (pack.end < static_cast<std::int64_t>(sizes.size())) {
        const std::int64_t more = tokens + sizes[static_cast<std::size_t>(pack.end)];
        EXPECT_TRUE(count == max_trees || (max_tokens > 0 && more > max_tokens));
      }
    }
    EXPECT_EQ(next, static_cast<std::int64_t>(sizes.size()));
  }
}

}  // namespace
}  // namespace lmpo

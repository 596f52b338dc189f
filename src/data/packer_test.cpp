#include "data/packer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/random.h"

namespace lmpo::packer_test {
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

using Packs = std::vector<PackIndices>;

std::int64_t tokens_of(const PackIndices& pack, const std::vector<std::int64_t>& sizes) {
  std::int64_t tokens = 0;
  for (const std::size_t index : pack) {
    tokens += sizes[index];
  }
  return tokens;
}

TEST_F(PackerTest, CutsByNumberOfTrees) {
  EXPECT_EQ(cut_into_packs(batch({1, 1, 1, 1, 1}), 2, 0), (Packs{{0, 1}, {2, 3}, {4}}));
  EXPECT_EQ(cut_into_packs(batch({1, 1}), 9, 0), (Packs{{0, 1}}));
  EXPECT_TRUE(cut_into_packs(batch({}), 2, 5).empty());
}

TEST_F(PackerTest, FitsByTokensAndLetsALargeTreeStandAlone) {
  EXPECT_EQ(cut_into_packs(batch({2, 3, 1, 9, 1, 5}), 9, 5), (Packs{{0, 1}, {2, 4}, {3}, {5}}));
  // In order these would be four packs.
  EXPECT_EQ(cut_into_packs(batch({3, 6, 4, 7}), 9, 10), (Packs{{0, 3}, {1, 2}}));
  EXPECT_EQ(cut_into_packs(batch({3, 3, 3, 3}), 2, 10), (Packs{{0, 1}, {2, 3}}));
}

TEST_F(PackerTest, HoldsEveryTreeOnceWithinTheLimits) {
  Random random(3, 0);
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<std::int64_t> sizes(random.below(30));
    for (std::int64_t& size : sizes) {
      size = static_cast<std::int64_t>(random.below(20)) + 1;
    }
    const auto micro_batch = static_cast<std::int64_t>(random.below(6)) + 1;
    const auto max_tokens = static_cast<std::int64_t>(random.below(40));
    const Packs packs = cut_into_packs(batch(sizes), micro_batch, max_tokens);
    std::vector<int> held(sizes.size());
    std::size_t first = 0;
    for (const PackIndices& pack : packs) {
      ASSERT_FALSE(pack.empty());
      EXPECT_TRUE(std::ranges::is_sorted(pack));
      EXPECT_GE(pack.front(), first);
      first = pack.front();
      EXPECT_LE(std::ssize(pack), micro_batch);
      EXPECT_TRUE(max_tokens == 0 || pack.size() == 1 || tokens_of(pack, sizes) <= max_tokens);
      for (const std::size_t index : pack) {
        ++held[index];
      }
    }
    EXPECT_EQ(held, std::vector<int>(sizes.size(), 1));
  }
}

// The fewest packs there can be, found by trying every way.
std::size_t fewest_packs(const std::vector<std::int64_t>& sizes, std::int64_t max_tokens) {
  std::size_t best = sizes.size();
  std::vector<std::int64_t> packs;
  const auto place = [&](const auto& self, std::size_t index) -> void {
    if (packs.size() >= best) {
      return;
    }
    if (index == sizes.size()) {
      best = packs.size();
      return;
    }
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (packs[i] + sizes[index] <= max_tokens) {
        packs[i] += sizes[index];
        self(self, index + 1);
        packs[i] -= sizes[index];
      }
    }
    packs.push_back(sizes[index]);
    self(self, index + 1);
    packs.pop_back();
  };
  place(place, 0);
  return best;
}

// Mostly the fewest, and here never more than one above.
TEST_F(PackerTest, TakesNearlyTheFewestPacks) {
  Random random(4, 0);
  std::size_t taken = 0;
  std::size_t fewest = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::int64_t> sizes(1 + random.below(9));
    for (std::int64_t& size : sizes) {
      size = static_cast<std::int64_t>(random.below(20)) + 1;
    }
    const std::size_t best = fewest_packs(sizes, 24);
    const std::size_t found = cut_into_packs(batch(sizes), 9, 24).size();
    EXPECT_LE(found, best + 1);
    taken += found;
    fewest += best;
  }
  EXPECT_LE(static_cast<double>(taken), 1.01 * static_cast<double>(fewest));
}

// Prompts and responses as long as those of UltraFeedback, long-tailed: of each global batch all
// packs but one are full to 2%.
TEST_F(PackerTest, FillsPacksOfUltraFeedbackLengths) {
  constexpr std::int64_t kBudget = 8192;
  Random random(5, 0);
  const auto length = [&](double mean) {
    constexpr double kSpread = 0.8;  // of the logarithm
    const double drawn = mean * std::exp(kSpread * random.normal() - kSpread * kSpread / 2);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(drawn), 1, 2048);
  };
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<std::int64_t> sizes(128);
    std::int64_t total = 0;
    for (std::int64_t& size : sizes) {
      size = length(277) + length(266) + length(266);
      total += size;
    }
    Packs packs = cut_into_packs(batch(sizes), 128, kBudget);
    EXPECT_LE(std::ssize(packs), (total + kBudget - 1) / kBudget + 1) << trial;
    std::ranges::sort(packs, std::less(), [&](const auto& pack) { return tokens_of(pack, sizes); });
    std::int64_t filled = 0;
    for (std::size_t i = 1; i < packs.size(); ++i) {
      filled += tokens_of(packs[i], sizes);
    }
    const auto room = static_cast<double>(kBudget * (std::ssize(packs) - 1));
    EXPECT_GE(static_cast<double>(filled) / room, 0.98) << trial;
  }
}

}  // namespace
}  // namespace lmpo::packer_test

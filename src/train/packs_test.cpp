#include "train/packs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "train/testing/small_run.h"

namespace lmpo::packs_test {
namespace {

PackSize size_of(const Pack& pack) {
  return {pack.input_count(), pack.row_count(), pack.target_count()};
}

// Beside the pack itself, laid out; lists of one to four responses, scored from different tokens on.
TEST(PackSize, IsThatOfTheTreesLaidOut) {
  for (const int responses : {1, 2, 4}) {
    std::vector<Tree> trees = testing::random_trees(60, responses);
    for (std::size_t i = 0; i < trees.size(); ++i) {
      // SFT on a conversation scores from the first token on; responses may begin alike.
      for (std::size_t s = 0; s < trees[i].sequences.size(); ++s) {
        Sequence& sequence = trees[i].sequences[s];
        sequence.scored_begin = std::clamp<std::int32_t>(
            sequence.scored_begin + static_cast<std::int32_t>((i + s) % 5) - 2, 1,
            static_cast<std::int32_t>(sequence.tokens.size()) - 1);
        if (i % 3 == 0 && sequence.scored_tokens() >= 3) {  // only the first and the last
          const auto size = static_cast<std::int32_t>(sequence.tokens.size());
          sequence.gaps = {{sequence.scored_begin + 1, size - 1}};
        }
      }
    }
    PackSize sum;
    Trees all;
    for (const Tree& tree : trees) {
      EXPECT_EQ(size_of(tree), size_of(make_pack({&tree})));
      sum.add(size_of(tree));
      all.push_back(&tree);
    }
    EXPECT_EQ(sum, size_of(make_pack(all)));
  }
}

TEST(Packs, AreCutUntilAPlannedSizeCoversThem) {
  const std::vector<Tree> trees = testing::random_trees(64);
  const Trees batch = pointers(trees);
  const PackLimits free{16, 0};
  const PackSize half = size_of(make_pack(packs_of(batch, {8, 0})[0]));
  const PackLimits planned{16, 0, {half}};
  EXPECT_EQ(packs_of(batch, free).size(), 4u);
  Trees together;
  for (const auto& pack : packs_of(batch, planned)) {
    EXPECT_TRUE(pack.size() == 1 || half.covers(size_of(make_pack(pack))));
    together.insert(together.end(), pack.begin(), pack.end());
  }
  EXPECT_EQ(together, batch);
  EXPECT_GT(packs_of(batch, planned).size(), 4u);
}

}  // namespace
}  // namespace lmpo::packs_test

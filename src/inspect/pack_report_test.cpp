#include "inspect/pack_report.h"

#include <gmock/gmock.h>

namespace lmpo::pack_report_test {
namespace {

// A prompt and two responses of these sizes, which share nothing.
Tree pair_of(std::int32_t prompt, std::int32_t response) {
  Tree tree;
  for (std::int32_t side = 0; side < 2; ++side) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(prompt), 1);
    tokens.insert(tokens.end(), static_cast<std::size_t>(response), 2 + side);
    tree.sequences.push_back({tokens, prompt});
  }
  return tree;
}

TEST(PackReport, OfKnownSizes) {
  // Input tokens: prompt + 2 (response - 1), that is 30, 70, 60, 45 | 200, 10.
  const std::vector<Tree> trees = {pair_of(10, 11), pair_of(50, 11),  pair_of(40, 11),
                                   pair_of(25, 11), pair_of(100, 51), pair_of(8, 2)};
  const PackReport report = pack_report(trees, {.global_batch = 4, .shuffle = false},
                                        {.micro_batch = 4, .max_tokens = 100});
  EXPECT_EQ(report.batches, 2);
  // 70 + 30, 60, 45 (105 are too many); then 200 alone, 10.
  EXPECT_EQ(report.packs, 5);
  EXPECT_EQ(report.oversized, 1);
  EXPECT_EQ(report.tokens, 30 + 70 + 60 + 45 + 200 + 10);
  EXPECT_EQ(report.separate_tokens, report.tokens + 10 + 50 + 40 + 25 + 100 + 8);
  // 205 tokens take three packs of 100 at least; a full one and 10 take two.
  EXPECT_EQ(report.fewest, 5);
  EXPECT_DOUBLE_EQ(report.waste(), (0 + 40 + 55 + 0 + 90) / 500.0);
  EXPECT_DOUBLE_EQ(report.avoidable(), 0);
  EXPECT_EQ(report.fill.count, 5);
  EXPECT_EQ(report.fill.most, 200);
}

TEST(PackReport, SaysWhatBetterPackingCouldSave) {
  // Three trees of 60: no two fit, though 180 tokens are less than two packs.
  const std::vector<Tree> trees = {pair_of(40, 11), pair_of(40, 11), pair_of(40, 11)};
  const PackReport report =
      pack_report(trees, {.global_batch = 3}, {.micro_batch = 3, .max_tokens = 100});
  EXPECT_EQ(report.packs, 3);
  EXPECT_EQ(report.fewest, 2);
  EXPECT_DOUBLE_EQ(report.avoidable(), 1 / 3.0);
}

TEST(PackReport, IsRepeatable) {
  std::vector<Tree> trees;
  for (std::int32_t i = 0; i < 100; ++i) {
    trees.push_back(pair_of(1 + i * 37 % 50, 2 + i * 53 % 70));
  }
  const SamplerOptions sampling = {.global_batch = 16, .seed = 3};
  const PackLimits limits = {.micro_batch = 16, .max_tokens = 300};
  EXPECT_EQ(to_json(pack_report(trees, sampling, limits)),
            to_json(pack_report(trees, sampling, limits)));
}

}  // namespace
}  // namespace lmpo::pack_report_test

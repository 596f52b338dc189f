#include "inspect/lengths.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace lmpo::lengths_test {
namespace {

using ::testing::ElementsAre;

TEST(Lengths, SummaryOfKnownNumbers) {
  std::vector<std::int64_t> values(100);
  std::iota(values.rbegin(), values.rend(), 1);  // 100, 99, ... 1
  const LengthSummary summary = summarize("all", values, {1, 51, 101});
  EXPECT_EQ(summary.count, 100);
  EXPECT_DOUBLE_EQ(summary.mean, 50.5);
  EXPECT_EQ(summary.least, 1);
  EXPECT_EQ(summary.median, 50);  // the nearest rank: half of all are at most this
  EXPECT_EQ(summary.p90, 90);
  EXPECT_EQ(summary.p99, 99);
  EXPECT_EQ(summary.most, 100);
  EXPECT_THAT(summary.bins.counts, ElementsAre(0, 50, 50, 0));
  EXPECT_EQ(summarize("none", {}, {0, 1}).most, 0);
}

TEST(Lengths, BinsAreNamedByWhatTheyHold) {
  const Histogram bins = histogram(std::vector<std::int64_t>{-7, 0, 0, 4, 5, 6, 90}, {0, 5, 6});
  EXPECT_THAT(bins.counts, ElementsAre(1, 3, 1, 2));
  EXPECT_EQ(bins.label(0), "below 0");
  EXPECT_EQ(bins.label(1), "0 to 4");
  EXPECT_EQ(bins.label(2), "5");
  EXPECT_EQ(bins.label(3), "6 and up");
}

TEST(Lengths, OneExtremeValueDoesNotSqueezeTheOthers) {
  std::vector<std::int64_t> values(1000);
  Random random(1, 0);
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random.below(400));
  }
  values.push_back(5'000'000);
  const Histogram bins = histogram(values, histogram_edges(values, false));
  EXPECT_GE(bins.edges.size(), 9u);
  EXPECT_LE(bins.edges.back(), 500);
  EXPECT_EQ(bins.counts.back(), 1);
}

TEST(Lengths, EveryValueIsCountedOnceAndEdgesRise) {
  Random random(2, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::int64_t> values(1 + random.below(50));
    const auto reach = static_cast<std::uint64_t>(1) << random.below(20);
    for (std::int64_t& value : values) {
      value = static_cast<std::int64_t>(random.below(2 * reach)) - static_cast<std::int64_t>(reach);
    }
    const std::vector<std::int64_t> edges = histogram_edges(values, true);
    ASSERT_GE(edges.size(), 2u);
    EXPECT_LE(edges.size(), 30u);
    EXPECT_TRUE(std::ranges::is_sorted(edges, std::less_equal()));
    const Histogram bins = histogram(values, edges);
    for (std::size_t bin = 1; bin < edges.size(); ++bin) {
      EXPECT_EQ(bins.counts[bin], std::ranges::count_if(values, [&](std::int64_t value) {
                  return value >= edges[bin - 1] && value < edges[bin];
                }));
    }
    EXPECT_EQ(std::accumulate(bins.counts.begin(), bins.counts.end(), std::int64_t{0}),
              std::ssize(values));
  }
}

}  // namespace
}  // namespace lmpo::lengths_test

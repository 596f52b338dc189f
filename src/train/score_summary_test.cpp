#include "train/score_summary.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/testing/test_folder.h"

namespace lmpo::score_summary_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Responses of so many tokens after a prompt of two.
Tree pair_of(std::int64_t row, std::size_t chosen, std::size_t rejected) {
  Tree tree;
  tree.row = row;
  for (const std::size_t tokens : {chosen, rejected}) {
    tree.sequences.push_back({std::vector<std::int32_t>(2 + tokens, 5), 2});
  }
  return tree;
}

TEST(ScoreSummary, HasAccuraciesMarginsAndMeans) {
  Dataset dataset;
  dataset.rows = 3;
  dataset.drops.add(1, DropReason::empty_response);
  ScoreSummary summary;
  summary.add(pair_of(0, 4, 2), std::vector{-6.0, -4.0});   // -1.5 and -2 a token
  summary.add(pair_of(2, 1, 10), std::vector{-3.0, -5.0});  // -3 and -0.5
  summary.require_finite();
  const ordered_json found = summary.to_json(dataset);
  EXPECT_EQ(found["rows"], 3);
  EXPECT_EQ(found["scored"], 2);
  EXPECT_EQ(found["dropped"], 1);
  EXPECT_EQ(found["accuracy/sum"], 0.5);
  EXPECT_EQ(found["accuracy/per_token"], 0.5);
  EXPECT_EQ(found["margin/sum"], (-2.0 + 2.0) / 2);
  EXPECT_EQ(found["margin/per_token"], (0.5 - 2.5) / 2);
  EXPECT_EQ(found["logps_sum/chosen"], -4.5);
  EXPECT_EQ(found["logps_per_token/chosen"], -2.25);
  EXPECT_EQ(found["logps_per_token/rejected"], -1.25);
  EXPECT_EQ(found["lengths/rejected"], 6);
  std::string text;
  for (const std::string& line : summary.lines(dataset)) {
    EXPECT_LE(line.size(), 120u);
    text += line + "\n";
  }
  EXPECT_THAT(text, AllOf(HasSubstr("3 rows: 2 scored, 1 dropped"),
                          HasSubstr("likelier: 50.0%; per token: 50.0%"),
                          HasSubstr("chosen    mean log-probability -4.5; per token -2.25; mean "
                                    "length 2.5 tokens")));
}

TEST(ScoreSummary, OfNothing) {
  Dataset dataset;
  dataset.rows = 1;
  dataset.drops.add(0, DropReason::empty_response);
  EXPECT_THAT(ScoreSummary().lines(dataset), ::testing::ElementsAre("1 row: 0 scored, 1 dropped"));
  EXPECT_EQ(ScoreSummary().to_json(dataset)["scored"], 0);
}

TEST(ScoreSummary, NamesRowsThatAreNotFinite) {
  ScoreSummary summary;
  summary.add(pair_of(7, 1, 1), std::vector{std::numeric_limits<double>::quiet_NaN(), -1.0});
  summary.add(pair_of(3, 1, 1), std::vector{-1.0, -std::numeric_limits<double>::infinity()});
  EXPECT_THAT(user_error_of([&] { summary.require_finite(); }),
              HasSubstr("rows 3, 7 (counted from 0): "));
}

}  // namespace
}  // namespace lmpo::score_summary_test

#include "judge/win_rate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "judge/testing/published.h"

namespace lmpo::win_rate_test {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(WinRate, CountsWinsDrawsAndNothingElse) {
  // Two wins, a loss, draws as 1.5 and as 0; a missing one and one out of range.
  const WinRates rates = win_rates(std::vector<double>{2, 1.75, 1.25, 1.5, 0, kNone, 2.5});
  EXPECT_EQ(rates.wins, 2);
  EXPECT_EQ(rates.baseline_wins, 1);
  EXPECT_EQ(rates.draws, 2);
  EXPECT_EQ(rates.total, 5);
  EXPECT_DOUBLE_EQ(rates.win_rate, 60);           // (1 + 0.75 + 0.25 + 0.5 + 0.5) / 5
  EXPECT_DOUBLE_EQ(rates.discrete_win_rate, 60);  // (2 + 1) / 5
  // Deviations 0.4, 0.15, -0.35, -0.1, -0.1: squares sum to 0.325.
  EXPECT_NEAR(rates.standard_error, 100 * std::sqrt(0.325 / 4 / 5), 1e-12);
}

TEST(WinRate, OneJudgementHasNoError) {
  const WinRates rates = win_rates(std::vector<double>{2});
  EXPECT_DOUBLE_EQ(rates.win_rate, 100);
  EXPECT_TRUE(std::isnan(rates.standard_error));
}

TEST_F(PublishedData, RawRatesAreThoseOfTheLeaderboard) {
  const CsvTable oracle = read_csv(alpaca("lc_oracle.csv"));
  const auto models = published_rows();
  ASSERT_EQ(oracle.rows.size(), 29U);
  for (std::size_t row = 0; row < oracle.rows.size(); ++row) {
    std::vector<double> preferences;
    for (const LengthRow& each : models.at(oracle.rows[row][0])) {
      preferences.push_back(each.preference);
    }
    const WinRates rates = win_rates(preferences);
    const auto published = [&](const char* name) {
      return oracle.number(row, oracle.column(name));
    };
    SCOPED_TRACE(oracle.rows[row][0]);
    EXPECT_NEAR(rates.win_rate, published("lb_win_rate"), 1e-6);
    EXPECT_NEAR(rates.standard_error, published("lb_standard_error"), 1e-6);
    EXPECT_NEAR(rates.discrete_win_rate, published("lb_discrete_win_rate"), 1e-6);
    EXPECT_EQ(static_cast<double>(rates.wins), published("lb_n_wins"));
    EXPECT_EQ(static_cast<double>(rates.baseline_wins), published("lb_n_wins_base"));
    EXPECT_EQ(static_cast<double>(rates.draws), published("lb_n_draws"));
    EXPECT_EQ(static_cast<double>(rates.total), published("lb_n_total"));
  }
}

}  // namespace
}  // namespace lmpo::win_rate_test

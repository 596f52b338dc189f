#include "judge/arena_score.h"

#include <gmock/gmock.h>

#include <cmath>

#include "judge/rows_of.h"
#include "judge/testing/published.h"

namespace lmpo::arena_score_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ArenaRules kOld = ArenaRules::v01;
constexpr ArenaRules kNew = ArenaRules::v2;

TEST(Arena, VerdictsOfBothRules) {
  struct Case {
    const char* judgment;
    std::optional<std::string> old_label;
    std::optional<std::string> new_label;
  };
  const Case cases[] = {
      {"My final verdict is tie: [[A=B]].", "A=B", "A=B"},
      {"[[A>B]] as I said, [[A>B]]", "A>B", "A>B"},
      {"[[A>B]] but then [[B>A]]", std::nullopt, "B>A"},
      {"[A>B]", std::nullopt, "A>B"},
      {"[[a>>b]]", std::nullopt, "A>>B"},
      {"[[[B>>A]]]", "B>>A", "B>>A"},
      {"[[A>B]", std::nullopt, "A>B"},
      {"nothing", std::nullopt, std::nullopt},
      {"", std::nullopt, std::nullopt},
      {"[[]] [[ A>B ]]", std::nullopt, std::nullopt},
      {"[[A<B]]", "A<B", "A<B"},
  };
  for (const auto& [judgment, old_label, new_label] : cases) {
    EXPECT_EQ(verdict_label(judgment, kOld), old_label) << judgment;
    EXPECT_EQ(verdict_label(judgment, kNew), new_label) << judgment;
  }
  EXPECT_TRUE(lacks_label("no label", kOld));
  EXPECT_FALSE(lacks_label("[[A>B]] [[B>A]]", kOld));  // two different ones: no second attempt
  EXPECT_FALSE(lacks_label("no label", kNew));
}

TEST(Arena, RowsOfAQuestion) {
  // In the first game the baseline is A, in the second the model is.
  EXPECT_THAT(game_rows({"A>B", "A>>B"}, kOld), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(game_rows({"B>>A", "A=B"}, kOld), ElementsAre(1, 1, 1, 0.5));
  EXPECT_THAT(game_rows({"B>A", "B>A"}, kNew), ElementsAre(1, 0));
  // What v0.1 does not list counts nothing there, and has its meaning since 2025.
  EXPECT_THAT(game_rows({"A<B", "B>A"}, kOld), ElementsAre(0));
  EXPECT_THAT(game_rows({"A<B", "B<<A"}, kNew), ElementsAre(1, 1, 1, 1));
  // A game without verdict: that game alone, or the whole question.
  EXPECT_THAT(game_rows({std::nullopt, "A>B"}, kOld), ElementsAre(1));
  EXPECT_THAT(game_rows({std::nullopt, "A>B"}, kNew), IsEmpty());
  EXPECT_THAT(game_rows({"A>B", "=="}, kNew), IsEmpty());
}

// numpy.percentile([3, 1, 2, 10], q)
TEST(Arena, PercentilesAreNumpys) {
  const std::vector<double> values = {3, 1, 2, 10};
  EXPECT_DOUBLE_EQ(percentile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(percentile(values, 0), 1);
  EXPECT_DOUBLE_EQ(percentile(values, 1), 10);
  EXPECT_DOUBLE_EQ(percentile(values, 0.025), 1.075);
  EXPECT_DOUBLE_EQ(percentile(values, 0.975), 9.475);
}

TEST(Arena, OneSidedResultsAreCertain) {
  const std::vector<ArenaModel> models = {{"a", {1, 1, 1}}, {"b", {0, 0}}};
  for (const ArenaRules rules : {kOld, kNew}) {
    const std::vector<ArenaScore> scores = arena_scores(models, rules, 50, 1);
    EXPECT_DOUBLE_EQ(scores[0].score, 100);
    EXPECT_DOUBLE_EQ(scores[0].lower, 100);
    EXPECT_DOUBLE_EQ(scores[0].upper, 100);
    EXPECT_DOUBLE_EQ(scores[1].upper, 0);
  }
}

// A mean of n rows has the deviation sqrt(p (1 - p) / n).
TEST(Arena, IntervalsHaveTheWidthOfABinomial) {
  ArenaModel model{"a", std::vector<double>(400, 0)};
  std::fill_n(model.rows.begin(), 100, 1.0);
  const double deviation = 100 * std::sqrt(0.25 * 0.75 / 400);
  const ArenaScore old_score = arena_scores({&model, 1}, kOld, 4000, 3)[0];
  EXPECT_DOUBLE_EQ(old_score.score, 25);
  EXPECT_NEAR(old_score.lower, 25 - 1.96 * deviation, 0.3);
  EXPECT_NEAR(old_score.upper, 25 + 1.96 * deviation, 0.3);
  const ArenaScore new_score = arena_scores({&model, 1}, kNew, 4000, 3)[0];
  EXPECT_NEAR(new_score.score, 25, 0.2);
  EXPECT_NEAR(new_score.lower, 25 - 1.645 * deviation, 0.3);
}

// Battles as rows: against one baseline, which is model_a or model_b.
std::vector<ArenaModel> published_battles(const fs::path& file) {
  constexpr const char* baseline = "claude-3-haiku-20240307";
  std::map<std::string, ArenaModel> models;
  for (const SourceRow& row : rows_of(file, "battles")) {
    const bool is_b = text_of_row(row, "model_a") == baseline;
    const std::string name = text_of_row(row, is_b ? "model_b" : "model_a");
    const std::string winner = text_of_row(row, "winner");
    models[name].name = name;
    models[name].rows.push_back(winner == "tie"                            ? 0.5
                                : winner == (is_b ? "model_b" : "model_a") ? 1
                                                                           : 0);
  }
  std::vector<ArenaModel> list;
  for (auto& [name, model] : models) {
    list.push_back(std::move(model));
  }
  return list;
}

TEST_F(PublishedData, BattlesComeToThePublishedRatesAndIntervals) {
  const CsvTable oracle = read_csv(arena("battles_oracle.csv"));
  const std::vector<ArenaModel> models =
      published_battles(arena("arena_hard_battles_74e8b6f.jsonl"));
  const std::vector<ArenaScore> scores = arena_scores(models, kOld, 2000, 42);
  ASSERT_EQ(scores.size(), oracle.rows.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto number = [&](const char* name) { return oracle.number(i, oracle.column(name)); };
    ASSERT_EQ(scores[i].name, oracle.rows[i][0]);
    EXPECT_EQ(static_cast<double>(scores[i].rows), number("total"));
    EXPECT_NEAR(scores[i].score, number("win_rate_closed_form_pct"), 1e-6);
    EXPECT_NEAR(scores[i].score, number("win_rate_BT_MLE_pct"), 1e-6);
    EXPECT_NEAR(scores[i].lower, number("bootstrap2000_lo2.5"), 0.5);
    EXPECT_NEAR(scores[i].upper, number("bootstrap2000_hi97.5"), 0.5);
  }
}

TEST_F(PublishedData, PercentilesOfStoredBootstrapsAreTheStoredBounds) {
  int models = 0;
  for (const char* file : {"bootstrap_stats_arena_hard_bt.jsonl"}) {
    for (const SourceRow& row : rows_of(arena(file), "bootstraps")) {
      const auto results = row.value.at("results").get<std::vector<double>>();
      EXPECT_NEAR(percentile(results, 0.025), number_or_nan(row, "lower"), 1e-9);
      EXPECT_NEAR(percentile(results, 0.975), number_or_nan(row, "upper"), 1e-9);
      ++models;
    }
  }
  EXPECT_EQ(models, 28);
}

}  // namespace
}  // namespace lmpo::arena_score_test

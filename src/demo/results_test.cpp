#include "demo/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace lmpo::results_test {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSeeds[] = {1, 2};

// Runs that were not made: answers and logs as a study leaves them.
class Results : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            fmt::format("results-{}-{}", ::getpid(),
                        ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove_all(root_); }

  // Two prompts; an answer of the second is wrong where it says so.
  void write(std::int64_t seed, const std::string& name, const std::string& second, int tokens) {
    const fs::path folder = root_ / variant_folder(seed, name);
    fs::create_directories(folder / kRunFolder);
    const auto line = [&](const char* prompt, const std::string& response) {
      return json{{"prompt", prompt},
                  {"responses", json::array({response})},
                  {"output_tokens", json::array({tokens})}}
                 .dump() +
             "\n";
    };
    write_file_atomically(folder / kAnswersFile,
                          line("first : cat moon", "cat .") + line("last : cat moon", second));
    json log = json::array();
    for (int step = 5; step <= 10 + 5 * seed; step += 5) {
      log.push_back({{"step", step}, {"logps/chosen", -seed * step}});
      log.push_back({{"step", step}, {"eval_loss", 0.5}});
    }
    write_file_atomically(folder / kRunFolder / "trainer_state.json",
                          json{{"log_history", log}}.dump());
  }

  fs::path root_;
};

TEST_F(Results, AreMeansOverSeedsWithTheirErrors) {
  for (const std::int64_t seed : kSeeds) {
    write(seed, kSft, "cat .", 6);
    write(seed, "lmpo", seed == 1 ? "moon ." : "cat .", 2);
    write(seed, "other", "moon .", 2);
  }
  const Part part{"methods", "Methods", {{.name = "lmpo", .title = "LMPO"}, {.name = "other"}}};
  const ResultTable table = result_table(root_, part, kSeeds);
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0].title, "SFT");
  EXPECT_DOUBLE_EQ(table.rows[0].win_rate.mean, 0.5);
  EXPECT_DOUBLE_EQ(table.rows[0].tokens.mean, 6);
  const ResultRow& lmpo = table.rows[1];
  // Of two answers the first is the SFT model's own; the second wins 95 times in 100 with one seed.
  EXPECT_NEAR(lmpo.win_rate.mean, (0.5 + 0.95 + 0.5 + 0.5) / 4, 1e-12);
  EXPECT_NEAR(lmpo.win_rate.standard_error, 0.225 / 2, 1e-12);
  EXPECT_DOUBLE_EQ(lmpo.right.mean, 0.75);
  EXPECT_DOUBLE_EQ(lmpo.right.standard_error, 0.25);
  EXPECT_DOUBLE_EQ(lmpo.beside_lmpo.mean, 0);
  EXPECT_DOUBLE_EQ(lmpo.beside_lmpo.standard_error, 0);
  // One of two seeds makes the whole difference: the pairs' error, not that of two means.
  EXPECT_NEAR(table.rows[2].beside_lmpo.mean, 0.225 / 2, 1e-12);
  EXPECT_NEAR(table.rows[2].beside_lmpo.standard_error, 0.225 / 2, 1e-12);

  EXPECT_THAT(to_text(table), HasSubstr("75.0 ± 25.0"));
  EXPECT_THAT(to_markdown(table), HasSubstr("| 75.0 ± 25.0 | 2.0 ± 0.0 |"));
  EXPECT_DOUBLE_EQ(to_json(table)["rows"][1]["right"]["mean"].get<double>(), 0.75);
}

TEST_F(Results, CurvesAreMeansOfStepsThatAllSeedsHave) {
  std::vector<Part> chosen;
  for (const Part& part : parts()) {
    if (part.name == "lambda") {
      chosen.push_back(part);
    }
  }
  for (const std::int64_t seed : kSeeds) {
    write(seed, kSft, "cat .", 6);
    for (const Variant& variant : chosen[0].variants) {
      write(seed, variant.name, "moon .", 2);
    }
  }
  const std::vector<Figure> all = figures(root_, chosen, kSeeds);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "lambda");
  const Chart& curves = all[0].charts[0];
  ASSERT_EQ(curves.series.size(), 5U);
  const std::vector<Point>& points = curves.series[0].points;
  ASSERT_EQ(points.size(), 3U);  // seed 2 has a fourth step
  EXPECT_DOUBLE_EQ(points[2].x, 15);
  EXPECT_DOUBLE_EQ(points[2].y, -22.5);
  const Series& win_rate = all[0].charts[1].series[0];
  EXPECT_DOUBLE_EQ(win_rate.points[4].x, 1);
  EXPECT_NEAR(win_rate.points[4].y, 72.5, 1e-9);
  EXPECT_NEAR(win_rate.errors[4], 0, 1e-9);
}

TEST_F(Results, OfAnswersThatDoNotBelongTogetherAreRefused) {
  write(1, kSft, "cat .", 6);
  write(1, "lmpo", "moon .", 2);
  write_file_atomically(root_ / variant_folder(1, "lmpo") / kAnswersFile, "");
  const std::int64_t seed[] = {1};
  EXPECT_THROW(result_table(root_, parts()[0], seed), UserError);
}

}  // namespace
}  // namespace lmpo::results_test

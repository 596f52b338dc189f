#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/json.h"
#include "report/chart.h"
#include "report/markup.h"
#include "report/testing.h"
#include "report/training_charts.h"

namespace lmpo::report_test {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// Coordinates of the first path.
std::vector<Point> path_points(const std::string& svg) {
  const std::string_view before = "class=\"main\" d=\"";
  const char* at = svg.c_str() + svg.find(before) + before.size();
  std::vector<Point> points;
  while (*at == 'M' || *at == 'L') {
    char* end = nullptr;
    const double x = std::strtod(at + 1, &end);
    const double y = std::strtod(end, &end);
    points.push_back({x, y});
    at = end;
  }
  return points;
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Ticks, CoverTheRangeInRoundSteps) {
  EXPECT_THAT(ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(ticks(0.13, 0.87, 5), ElementsAre(0, DoubleNear(0.2, 1e-12), DoubleNear(0.4, 1e-12),
                                                DoubleNear(0.6, 1e-12), DoubleNear(0.8, 1e-12), 1));
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {-3, 5}, {1e-9, 2e-9}, {7, 7}, {0, 0}, {-1e300, 1e300}, {1e5, 1e5 + 3}, {-5, -5}}) {
    const std::vector<double> marks = ticks(low, high, 5);
    ASSERT_GE(marks.size(), 2u);
    EXPECT_LE(marks.size(), 14u) << low;
    EXPECT_LE(marks.front(), low);
    EXPECT_GE(marks.back(), high * (1 - 1e-9));
  }
}

TEST(Ticks, OfALogarithmicAxis) {
  EXPECT_THAT(log_ticks(1, 10), ElementsAre(1, 2, 5, 10));
  EXPECT_THAT(log_ticks(0.3, 0.3), ElementsAre(DoubleNear(0.2, 1e-12), DoubleNear(0.5, 1e-12)));
  EXPECT_THAT(log_ticks(2, 3e4), ElementsAre(1, 10, 100, 1000, 1e4, 1e5));
}

TEST(Thinned, KeepsExtremesAndGaps) {
  std::vector<Point> points;
  for (int i = 0; i < 1000; ++i) {
    points.push_back({static_cast<double>(i), i == 417 ? 50.0 : i == 800 ? kNan : i % 7});
  }
  const std::vector<Point> few = thinned(points, 20);
  EXPECT_LE(few.size(), 41u);
  EXPECT_TRUE(std::is_sorted(few.begin(), few.end(),
                             [](const Point& a, const Point& b) { return a.x < b.x; }));
  EXPECT_EQ(std::count_if(few.begin(), few.end(), [](const Point& p) { return p.y == 50; }), 1);
  EXPECT_EQ(std::count_if(few.begin(), few.end(), [](const Point& p) { return p.x == 800; }), 1);
  EXPECT_EQ(thinned(points, 500).size(), points.size());
}

TEST(Ticks, TextHasNoNoise) {
  EXPECT_EQ(tick_text(0.1 + 0.2, 0.1), "0.3");
  EXPECT_EQ(tick_text(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_text(1e-17, 0.1), "0");
  EXPECT_EQ(tick_text(250, 50), "250");
  EXPECT_EQ(tick_text(2e-6, 1e-6), "2e-06");
  EXPECT_EQ(tick_text(3e7, 1e7), "3e+07");
  EXPECT_EQ(tick_text(1e-4, 2e-5), "1e-04");
  EXPECT_EQ(tick_text(1.2e-4, 2e-5), "1.2e-04");
}

TEST(Smoothed, IsTheCorrectedMovingAverage) {
  const std::vector<Point> points = {{0, 1}, {1, kNan}, {2, 3}, {3, 5}};
  const auto line = smoothed(points, 0.5);
  ASSERT_EQ(line.size(), 3u);
  EXPECT_DOUBLE_EQ(line[0].y, 1);
  EXPECT_DOUBLE_EQ(line[1].y, (0.25 * 1 + 0.5 * 3) / 0.75);
  EXPECT_DOUBLE_EQ(line[2].y, (0.125 * 1 + 0.25 * 3 + 0.5 * 5) / 0.875);
  EXPECT_DOUBLE_EQ(line[2].x, 3);
}

TEST(Charts, PointsLieWhereTheAxesSay) {
  const Chart chart{"a title", "step", {{"s", {{0, 0}, {5, 1}, {10, 2}}}}};
  const auto points = path_points(charts_svg({&chart, 1}));
  ASSERT_EQ(points.size(), 3u);
  // A straight line stays one, from the left end of the plot at the bottom to its right end on top.
  EXPECT_NEAR(points[0].x + points[2].x, 2 * points[1].x, 0.02);
  EXPECT_NEAR(points[0].y + points[2].y, 2 * points[1].y, 0.02);
  EXPECT_NEAR(points[0].x, 62, 0.01);
  EXPECT_NEAR(points[2].x, 460 - 16, 0.01);
  EXPECT_NEAR(points[0].y, 270 - 42, 0.01);
  EXPECT_NEAR(points[2].y, 56, 0.01);
}

TEST(Charts, GapsWhereValuesAreNotFinite) {
  const Chart chart{
      "t", "x", {{"s", {{0, 0}, {1, 1}, {2, kNan}, {3, 1}, {4, kInf}, {5, 2}, {6, 0}}}}};
  const std::string svg = charts_svg({&chart, 1});
  lmpo::testing::checked_tags(svg);
  EXPECT_EQ(path_points(svg).size(), 4u);  // two runs of two
  EXPECT_EQ(count(svg, "h0"), 1);          // and the point between the gaps
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(Charts, NothingToDrawIsSaid) {
  const std::vector<Chart> charts = {{"empty", "x", {}}, {"nan", "x", {{"s", {{0, kNan}}}}}};
  const std::string svg = charts_svg(charts);
  lmpo::testing::checked_tags(svg);
  EXPECT_EQ(count(svg, "no finite values"), 2);
  lmpo::testing::checked_tags(charts_svg({}));
}

TEST(Charts, TextIsEscaped) {
  const Chart chart{"<script>&\"'\x01", "a < b", {{"x>y", {{0, 1}}}, {"&", {{1, 1}}}}};
  const std::string svg = charts_svg({&chart, 1});
  lmpo::testing::checked_tags(svg);
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&amp;"));
  EXPECT_THAT(svg, HasSubstr("x&gt;y"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_EQ(svg.find('\x01'), std::string::npos);
}

TEST(Charts, PagesMayHaveTheirOwnColours) {
  const Chart chart{"a", "b", {{"c", {{0, 1}, {1, 2}}}}};
  const std::string svg = charts_svg(std::span(&chart, 1), 1, {"ink", "faint", "grid", "ground"});
  for (const char* colour : {"\"ink\"", "\"faint\"", "\"grid\"", "\"ground\""}) {
    EXPECT_THAT(svg, HasSubstr(colour));
  }
  EXPECT_THAT(svg, Not(HasSubstr("#ffffff")));
}

TEST(Charts, OutlineGoesAroundTheBars) {
  const std::vector<std::int64_t> edges = {0, 10, 30};
  const std::vector<std::int64_t> counts = {2, 5};
  std::vector<std::pair<double, double>> points;
  double area = 0;
  for (const Point& point : outline(edges, counts)) {
    area += points.empty() ? 0 : (point.x - points.back().first) * point.y;
    points.emplace_back(point.x, point.y);
  }
  using P = std::pair<double, double>;
  EXPECT_THAT(points, ElementsAre(P(0, 0), P(0, 2), P(10, 2), P(10, 5), P(30, 5), P(30, 0)));
  EXPECT_EQ(area, 2 * 10 + 5 * 20);
  EXPECT_TRUE(outline({}, {}).empty());
}

TEST(Markup, NothingInATextIsMarkup) {
  EXPECT_EQ(escape_markup("<a href=\"x\" title='y'>&amp;\x1b\n"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp; \n");
}

TEST(TrainingCharts, ShowWhatTheHistoryHas) {
  const json history = json::parse(R"([
    {"step": 1, "loss": 2.0, "learning_rate": 1e-6, "rewards/accuracies": 0.5},
    {"step": 2, "loss": 1.5, "learning_rate": 5e-7, "rewards/accuracies": null},
    {"step": 2, "eval_loss": 1.7}, 7, {"loss": 3}, {"step": "x", "loss": 1}
  ])");
  const auto charts = training_charts(history);
  ASSERT_EQ(charts.size(), 3u);
  EXPECT_EQ(charts[0].title, "loss");
  ASSERT_EQ(charts[0].series.size(), 2u);
  EXPECT_EQ(charts[0].series[0].points.size(), 2u);
  EXPECT_EQ(charts[0].series[0].points[1].y, 1.5);
  EXPECT_EQ(charts[0].series[1].points.at(0).y, 1.7);
  EXPECT_EQ(charts[1].series.at(0).points.size(), 1u);
  EXPECT_TRUE(training_charts(json::array()).empty());
  lmpo::testing::checked_tags(charts_svg(charts));
}

}  // namespace
}  // namespace lmpo::report_test

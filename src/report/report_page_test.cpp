// The page that compares runs: what is in it, and that no text gets out of its place.
#include "report/report_page.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "report/colours.h"
#include "report/html.h"
#include "report/run_charts.h"
#include "report/run_folder.h"
#include "report/run_summary.h"
#include "report/testing.h"

namespace lmpo::report_page_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kEvil = "</script><!-- <b>'\"&\x1b[31m\u2028";

lmpo::Run run_of(const std::string& name, int entries) {
  lmpo::Run run;
  run.name = name;
  run.state = RunState::done;
  run.step = entries;
  std::vector<double>& loss = run.training.columns["loss"];
  for (int i = 1; i <= entries; ++i) {
    run.training.step.push_back(i);
    run.training.epoch.push_back(i / 100.0);
    run.training.seconds.push_back(2.0 * i);
    loss.push_back(1.0 / i);
  }
  return run;
}

// The page's data as its script reads them.
json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(begin) + begin.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

// The part of the page before the data.
std::string markup_of(const std::string& page) {
  return page.substr(page.find("<body"), page.find("<script type") - page.find("<body"));
}

std::string page_of(const std::vector<lmpo::Run>& runs) {
  Report report;
  report.runs = runs;
  return report_page(report);
}

TEST(ReportPage, HasRunsTablesCurves) {
  std::vector<lmpo::Run> runs = {run_of("one", 5), run_of("two", 7)};
  runs[0].options = {{"beta", "1"}, {"seed", "42"}, {"output_dir", "x"}};
  runs[1].options = {{"beta", "2"}, {"seed", "42"}, {"output_dir", "y"}};
  runs[1].state = RunState::killed;
  runs[1].total_steps = 100;
  const std::string page = page_of(runs);
  const std::string markup = markup_of(page);
  lmpo::testing::checked_tags(markup + "</body>");
  EXPECT_THAT(markup, AllOf(HasSubstr("<h2>Runs</h2>"), HasSubstr("Settings that differ"),
                            HasSubstr("<code>beta</code>"),
                            HasSubstr("<summary>1 common setting</summary>"),
                            HasSubstr("<span class=\"state killed\">killed</span>"),
                            HasSubstr("7 <small>of 100</small>"), HasSubstr("data-chart=\"0\"")));
  EXPECT_THAT(markup, Not(HasSubstr("output_dir")));
  const json data = data_of(page);
  ASSERT_EQ(data["runs"].size(), 2U);
  EXPECT_EQ(data["runs"][1]["name"], "two");
  EXPECT_EQ(data["runs"][0]["training"]["step"], json({1, 2, 3, 4, 5}));
  EXPECT_EQ(data["runs"][0]["training"]["time"], json({2, 4, 6, 8, 10}));
  EXPECT_EQ(data["runs"][0]["training"]["columns"]["loss"]["y"][1], 0.5);
  EXPECT_EQ(data["charts"][0]["curves"][0]["metric"], "loss");
  EXPECT_THAT(markup, AllOf(HasSubstr("<figcaption><h3>loss</h3>"),
                            HasSubstr("data-run=\"1\" data-kind=\"0\" data-name=\"two\"")));
}

TEST(ReportPage, AsksForNothing) {
  const std::string page = page_of({run_of("a", 3)});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* from : {"src=", "href=", "@import", "url(", "http://", "https://"}) {
    const std::size_t at = page.find(from);
    const std::string found = at == std::string::npos ? "" : page.substr(at, 40);
    EXPECT_TRUE(found.empty() || found.starts_with("http://www.w3.org/2000/svg")) << found;
  }
}

TEST(ReportPage, NoTextGetsOutOfItsPlace) {
  std::vector<lmpo::Run> runs = {run_of(kEvil, 3), run_of("b", 3)};
  lmpo::Run& run = runs[0];
  run.options = {{kEvil, kEvil}};
  run.state = RunState::failed;
  run.error = kEvil;
  run.notices = {kEvil};
  run.training.columns[kEvil] = {1, 2, 3};
  run.not_finite = {{kEvil, 1, 2}};
  run.train_rows = RowCounts{5, 4, 0, {{kEvil, 1}}};
  run.answers = {
      {.step = 1, .prompt = kEvil, .response = kEvil, .tokens = 3, .finish_reason = kEvil}};
  const std::vector<AnswerSet> sets = {{kEvil, run.answers}};
  Report report;
  report.title = report.subtitle = kEvil;
  report.runs = runs;
  report.answers = sets;
  report.sections = {
      {kEvil, kEvil, {{kEvil, {kEvil}, {{kEvil}}}}, {{kEvil, kEvil, {{kEvil, {{0, 1}}}}}}}};
  report.sections[0].charts[0].series[0].colour = kEvil;
  const std::string page = report_page(report);
  // Two script elements, each closed once; no comment; nothing that a terminal would obey.
  std::size_t closed = 0;
  for (std::size_t at = page.find("</script"); at != std::string::npos;
       at = page.find("</script", at + 1)) {
    ++closed;
  }
  EXPECT_EQ(closed, 2U);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
  EXPECT_EQ(page.find("\u2028"), std::string::npos);
  lmpo::testing::checked_tags(markup_of(page) + "</body>");
  const json data = data_of(page);
  const std::string shown = "</script><!-- <b>'\"&\\x1b[31m\\u2028";
  EXPECT_EQ(data["runs"][0]["name"], shown);
  EXPECT_EQ(data["answers"]["prompts"][0], shown);
  EXPECT_EQ(data["answers"]["sources"][0]["answers"][0]["text"], shown);
  for (const auto& [name, chart] : report_charts(report)) {
    EXPECT_EQ(name.find_first_of("/<\x1b"), std::string::npos) << name;
    lmpo::testing::checked_tags(charts_svg({&chart, 1}));
  }
}

TEST(ReportPage, OwnSectionsComeFirstAndNeedNoRuns) {
  Report report;
  report.sections = {
      {.title = "Table 1",
       .text = "First.\n\nSecond.",
       .tables = {{"win rates", {"method", "rate"}, {{"lmpo", "61.2"}, {"dpo", "58"}}}},
       .charts = {{"sweep", "lambda", {{"lmpo", {{0.1, 1}, {1, 2}}, 0, {0.1, 0.2}}}, true}}}};
  const std::string page = report_page(report);
  lmpo::testing::checked_tags(markup_of(page) + "</body>");
  EXPECT_THAT(page, AllOf(HasSubstr("<p>First.</p>\n<p>Second.</p>"), HasSubstr("<td>61.2</td>"),
                          HasSubstr("data-chart=\"0\""), Not(HasSubstr("<h2>Runs</h2>"))));
  const json series = data_of(page)["charts"][0]["series"][0];
  EXPECT_EQ(series["errors"], json({0.1, 0.2}));
  EXPECT_THAT(page, HasSubstr("data-run=\"-1\" data-kind=\"0\" data-name=\"lmpo\""));
  EXPECT_TRUE(data_of(page)["charts"][0]["logX"]);
  // A series that is called like a run has its colour.
  const std::vector<lmpo::Run> runs = {run_of("dpo", 3), run_of("lmpo", 3)};
  report.runs = runs;
  EXPECT_THAT(
      markup_of(report_page(report)),
      HasSubstr("data-run=\"1\" data-kind=\"0\" data-name=\"lmpo\" stroke=\"var(--run-1)\""));
}

TEST(ReportPage, LongRunsAreCutIntoBuckets) {
  lmpo::Run run = run_of("long", 100'000);
  std::vector<double>& loss = run.training.columns["loss"];
  loss[50'000] = 77;  // a spike
  loss[70'000] = kNan;
  const std::string page = page_of({run});
  EXPECT_LT(page.size(), 600'000U);
  const json column = data_of(page)["runs"][0]["training"]["columns"]["loss"];
  ASSERT_EQ(column["y"].size(), 3000U);
  EXPECT_EQ(data_of(page)["runs"][0]["training"]["step"].back(), 100'000);
  double most = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    EXPECT_LE(column["low"][i].get<double>(), column["y"][i].get<double>() * 1.00001);
    EXPECT_GE(column["high"][i].get<double>() * 1.00001, column["y"][i].get<double>());
    most = std::max(most, column["high"][i].get<double>());
  }
  EXPECT_EQ(most, 77);
}

TEST(ReportPage, AnswersAreCountedCutAndBinned) {
  std::vector<lmpo::Run> runs = {run_of("a", 3)};
  for (int step = 1; step <= 30; ++step) {
    for (int index = 0; index < 4; ++index) {
      runs[0].answers.push_back({.step = step,
                                 .index = index,
                                 .prompt = std::to_string(index),
                                 .response = std::string(index == 0 ? 10'000 : 3, 'x'),
                                 .tokens = 10 * (index + 1),
                                 .finish_reason = ""});
    }
  }
  Report report;
  report.runs = runs;
  report.most_prompts = 3;
  const json data = data_of(report_page(report));
  EXPECT_EQ(data["answers"]["prompts"].size(), 3U);
  const json& answers = data["answers"]["sources"][0]["answers"];
  EXPECT_EQ(answers.size(), 3U * 12);  // of twelve steps
  EXPECT_EQ(answers.front()["step"], 1);
  EXPECT_EQ(answers.back()["step"], 30);
  EXPECT_THAT(answers[0]["text"].get<std::string>(), HasSubstr("[... 2000 more bytes]"));
  // A histogram of shares: its area is all answers.
  const json& histogram = data["charts"][1]["series"][0];
  double highest = 0;
  double sum = 0;
  for (std::size_t i = 1; i + 1 < histogram["y"].size(); i += 2) {
    highest = std::max(highest, histogram["y"][i].get<double>());
    sum += histogram["y"][i].get<double>();
  }
  EXPECT_NEAR(sum, 100, 1e-6);
  EXPECT_NEAR(highest, 25, 1e-6);
}

// An answer that was cut has no length, but the limit's.
TEST(ReportPage, LengthsLeaveOutAnswersThatWereCut) {
  std::vector<lmpo::Run> runs = {run_of("a", 3), run_of("b", 3)};
  for (const std::int64_t tokens : {10, 20, 64, 64}) {
    runs[0].answers.push_back({.step = 1,
                               .prompt = "p",
                               .response = "x",
                               .tokens = tokens,
                               .finish_reason = tokens == 64 ? "length" : "stop"});
    runs[1].answers.push_back(runs[0].answers.back());
    runs[1].answers.back().tokens = 64;
    runs[1].answers.back().finish_reason = "length";
  }
  const std::string page = page_of(runs);
  EXPECT_THAT(markup_of(page),
              HasSubstr("cut at the token limit are left out. a: 2 of 4, b: 4 of 4."));
  const json charts = data_of(page)["charts"];
  ASSERT_EQ(charts.size(), 2U);               // the loss, then lengths
  ASSERT_EQ(charts[1]["series"].size(), 1U);  // of b nothing is known
  EXPECT_LE(charts[1]["series"][0]["x"].back(), 21);
  EXPECT_THAT(markup_of(page_of({run_of("c", 3)})), Not(HasSubstr("were cut")));
}

// One axis: means per token for every method, sums under their own name. TRL's logps/*, the one or
// the other, are shown of runs that log nothing else.
TEST(RunCharts, LogProbabilitiesOfAllMethodsShareAnAxis) {
  const auto logged = [](const std::string& name, const json& metrics) {
    json state = {{"max_steps", 4}, {"log_history", json::array()}};
    json entry = {{"step", 2}, {"loss", 1.0}};
    entry.update(metrics);
    state["log_history"].push_back(entry);
    lmpo::Run run;
    run.name = name;
    read_run_files({.record = "", .state = state.dump(), .log = "", .samples = ""}, run);
    return run;
  };
  const std::vector<lmpo::Run> runs = {logged("dpo", {{"logps/chosen", -90.0},
                                                      {"logps_per_token/chosen", -1.5},
                                                      {"logps_sum/chosen", -90.0}}),
                                       logged("lmpo", {{"logps/chosen", -1.2},
                                                       {"logps_per_token/chosen", -1.2},
                                                       {"logps_sum/chosen", -72.0}}),
                                       logged("trl", {{"logps/chosen", -80.0}})};
  const auto values = [&](const std::string& id) {
    std::map<std::string, double> found;
    for (const ChartPlan& plan : plan_charts(runs)) {
      for (const Curve& curve : plan.curves) {
        for (const lmpo::Run& run : runs) {
          if (const auto points = points_of(run, curve); plan.id == id && !points.empty()) {
            found[run.name] = points[0].y;
          }
        }
      }
    }
    return found;
  };
  using Values = std::map<std::string, double>;
  EXPECT_EQ(values("log-probabilities"), (Values{{"dpo", -1.5}, {"lmpo", -1.2}}));
  EXPECT_EQ(values("log-probability-sums"), (Values{{"dpo", -90}, {"lmpo", -72}}));
  EXPECT_EQ(values("log-probabilities-as-logged"), (Values{{"trl", -80}}));
}

TEST(RunCharts, RewardsSayThatTheyAreScaled) {
  lmpo::Run run = run_of("a", 2);
  run.training.columns["rewards/chosen"] = {1, 2};
  run.training.columns["rewards/margins"] = {1, 2};
  for (const ChartPlan& plan : plan_charts({&run, 1})) {
    EXPECT_EQ(plan.id == "loss", plan.note.find("beta") == std::string::npos) << plan.id;
  }
}

TEST(ReportPage, WhatRunsShareIsSaidOnce) {
  std::vector<lmpo::Run> runs;
  for (int i = 0; i < 30; ++i) {
    runs.push_back(run_of("run" + std::to_string(i), 2));
    runs.back().train_rows = RowCounts{10, 9, 0, {{"too_long", 1}}};
  }
  EXPECT_THAT(page_of(runs),
              HasSubstr("all 30 runs training data: 1 of 10 rows dropped: too_long 1"));
}

TEST(RunCharts, HaveWhatWasLogged) {
  std::vector<lmpo::Run> runs = {run_of("a", 3), run_of("b", 4)};
  runs[0].training.columns["mine/x y"] = {1, kNan, 3};
  runs[1].evaluation.step = {2};
  runs[1].evaluation.columns["eval_loss"] = {0.5};
  const std::vector<ChartPlan> plans = plan_charts(runs);
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(plans[0].curves.size(), 2U);
  EXPECT_EQ(plans[1].id, "mine-x-y");
  EXPECT_FALSE(plans[1].usual);
  const Chart loss = drawn(plans[0], runs, 500);
  std::vector<std::string> names;
  for (const Series& series : loss.series) {
    names.push_back(series.name);
  }
  EXPECT_THAT(names, ElementsAre("a training", "b training", "b evaluation"));
  EXPECT_EQ(loss.series[1].colour, loss.series[2].colour);
  EXPECT_TRUE(loss.series[2].dashed);
  EXPECT_EQ(drawn(plans[1], runs, 500).series.at(0).points.size(), 2U);
}

TEST(LineColours, AreDifferent) {
  for (const std::size_t count : {1U, 8U, 9U, 30U, 100U}) {
    std::set<std::string> light;
    std::set<std::string> dark;
    for (const LineColour& colour : line_colours(count)) {
      EXPECT_THAT(colour.light, ::testing::MatchesRegex("#[0-9a-f]{6}"));
      light.insert(colour.light);
      dark.insert(colour.dark);
    }
    EXPECT_EQ(light.size(), count);
    EXPECT_EQ(dark.size(), count);
  }
}

TEST(Readable, NumbersForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(readable_number(0.69314), "0.6931");
}

}  // namespace
}  // namespace lmpo::report_page_test

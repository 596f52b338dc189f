// Axes by what ticks have to be, and escaping by undoing it.
#include <gmock/gmock.h>

#include <cmath>

#include "base/random.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/markup.h"
#include "report/testing.h"

namespace lmpo::scale_test {
namespace {

using ::testing::AnyOf;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Not;

// The digit of 1, 2, 5 times a power of ten.
double digit_of(double value) {
  return value / std::pow(10.0, std::floor(std::log10(value) + 1e-9));
}

TEST(Ticks, AreEquallyFarApartAndCoverAnyRange) {
  Random random(1, 0);
  for (int i = 0; i < 2000; ++i) {
    const double span = std::pow(10.0, 12 * random.uniform() - 6);
    const double low = 1000 * (random.uniform() - 0.5) * span;
    const double high = low + span;
    const int count = 3 + static_cast<int>(random.below(6));
    const std::vector<double> marks = ticks(low, high, count);
    ASSERT_GE(marks.size(), 2U);
    const double step = (marks.back() - marks.front()) / static_cast<double>(marks.size() - 1);
    EXPECT_THAT(digit_of(step),
                AnyOf(DoubleNear(1, 1e-6), DoubleNear(2, 1e-6), DoubleNear(5, 1e-6)));
    // The largest of such steps that gives at least count / 2 parts, or the next finer one.
    EXPECT_GE(step * count, (high - low) * (1 - 1e-9));
    EXPECT_LE(step * count, (high - low) * 2.5 * (1 + 1e-9));
    const double slack = 1e-9 * (std::abs(low) + std::abs(high));
    EXPECT_LE(marks.front(), low + slack);
    EXPECT_GT(marks.front(), low - step - slack);
    EXPECT_GE(marks.back(), high - slack - step * 1e-9);
    EXPECT_LT(marks.back(), high + step + slack);
    for (std::size_t k = 0; k < marks.size(); ++k) {
      EXPECT_NEAR(marks[k], marks.front() + static_cast<double>(k) * step, slack + 1e-9 * step);
    }
  }
}

TEST(LogTicks, AreRoundAndCoverAnyRange) {
  Random random(2, 0);
  for (int i = 0; i < 2000; ++i) {
    const double low = std::pow(10.0, 20 * random.uniform() - 10);
    const double high = low * std::pow(10.0, 6 * random.uniform());
    const std::vector<double> marks = log_ticks(low, high);
    ASSERT_GE(marks.size(), 2U);
    EXPECT_LE(marks.front(), low * (1 + 1e-8));
    EXPECT_GE(marks.back(), high * (1 - 1e-8));
    for (std::size_t k = 0; k < marks.size(); ++k) {
      EXPECT_THAT(digit_of(marks[k]),
                  AnyOf(DoubleNear(1, 1e-6), DoubleNear(2, 1e-6), DoubleNear(5, 1e-6)));
      EXPECT_TRUE(k == 0 || marks[k] > marks[k - 1]);
      // None but the ends lies outside.
      EXPECT_TRUE(k < 1 || k + 1 == marks.size() ||
                  (marks[k] > low * 0.999 && marks[k] < high * 1.001));
    }
  }
}

std::string unescaped(std::string text) {
  for (const auto& [entity, character] :
       {std::pair("&lt;", "<"), std::pair("&gt;", ">"), std::pair("&quot;", "\""),
        std::pair("&#39;", "'"), std::pair("&amp;", "&")}) {
    for (auto at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1)) {
      text.replace(at, std::string_view(entity).size(), character);
    }
  }
  return text;
}

TEST(Markup, AnyTextIsKeptAndNoneIsMarkup) {
  Random random(3, 0);
  const std::string bytes = "<>&\"'ab;#\n\t\x01\x1f\x7f\xc3\xa9";
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    std::string visible;
    for (std::uint64_t left = random.below(12); left > 0; --left) {
      const char c = bytes[random.below(bytes.size())];
      text += c;
      visible += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
    const std::string escaped = escape_markup(text);
    EXPECT_EQ(escaped.find_first_of("<>\"'"), std::string::npos);
    EXPECT_EQ(unescaped(escaped), visible);
    lmpo::testing::checked_tags("<a b=\"" + shown_text(text) + "\">" + shown_text(text) + "</a>");
  }
}

// What the page's script relies on.
TEST(PageChart, HasAGroupWithFivePathsForEachLine) {
  Chart chart{"a <title>", "step", {{"one", {{0, 1}, {1, 2}, {2, 4}}, 0.5}, {"two", {{0, 900}}}}};
  chart.series[0].run = 3;
  chart.series[0].dots = true;
  chart.series[1].hidden = true;
  chart.series[1].kind = 1;
  const std::string svg = page_chart_svg(chart);
  lmpo::testing::checked_tags(svg);
  EXPECT_THAT(svg,
              HasSubstr("class=\"line dotted\" data-run=\"3\" data-kind=\"0\" data-name=\"one\""));
  EXPECT_THAT(svg,
              HasSubstr("class=\"line off\" data-run=\"-1\" data-kind=\"1\" data-name=\"two\""));
  for (const char* part : {"band", "noise", "main", "dots", "errors"}) {
    const std::string path = std::string("<path class=\"") + part + "\" d=\"";
    std::size_t count = 0;
    for (auto at = svg.find(path); at != std::string::npos; at = svg.find(path, at + 1)) {
      ++count;
    }
    EXPECT_EQ(count, 2U) << part;
  }
  EXPECT_THAT(svg, Not(HasSubstr("title")));
  EXPECT_THAT(svg, Not(HasSubstr("900")));  // what is hidden does not stretch the axis
  EXPECT_THAT(charts_svg({&chart, 1}), Not(HasSubstr("two")));
}

}  // namespace
}  // namespace lmpo::scale_test

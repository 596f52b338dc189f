#include "inspect/data_page.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "report/testing.h"

namespace lmpo::data_page_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

DataReport report_with(const std::string& text) {
  DataReport report;
  report.sources = {text};
  report.model = text;
  report.row_kind = "preference";
  report.truncation = "no truncation";
  report.rows = report.kept = report.pairs = 3;
  report.drops = {{DropReason::empty_prompt, 2, {7, 8}}};
  for (const char* name : {"prompt", "chosen", "rejected", "chosen - rejected"}) {
    const std::vector<std::int64_t> values = {1, 5, 7, 400};
    report.lengths.push_back(summarize(name, values, histogram_edges(values, false)));
  }
  report.warnings = {text};
  ShownSequence sequence{.name = "chosen", .pieces = {}};
  for (const PieceKind kind :
       {PieceKind::cut, PieceKind::prompt, PieceKind::left_out, PieceKind::scored}) {
    sequence.pieces.push_back({kind, kind == PieceKind::scored, 3, text});
  }
  ShownRow row{.row = 5, .location = text, .dropped = DropReason::empty_prompt, .sequences = {}};
  row.sequences = {sequence, sequence};
  report.shown = {row};
  return report;
}

TEST(DataPage, NestsAndNeedsNothingElse) {
  const std::string page = data_page(report_with("plain text"));
  const auto tags = lmpo::testing::checked_tags(page.substr(page.find("<html")));
  EXPECT_GT(std::ranges::count(tags, "path"), 3);
  EXPECT_EQ(std::ranges::count(tags, "script"), 0);
  EXPECT_EQ(std::ranges::count(tags, "link"), 0);
  EXPECT_EQ(std::ranges::count(tags, "img"), 0);
  std::string rest = page;
  constexpr std::string_view kNamespace = "http://www.w3.org/2000/svg";  // a name, not an address
  rest.erase(rest.find(kNamespace), kNamespace.size());
  EXPECT_THAT(rest, AllOf(Not(HasSubstr("http:")), Not(HasSubstr("https:")), Not(HasSubstr("url(")),
                          Not(HasSubstr("src="))));
  EXPECT_THAT(page, AllOf(HasSubstr("color-scheme: light dark"), HasSubstr("var(--grid)"),
                          HasSubstr("charset=\"utf-8\"")));
}

TEST(DataPage, NothingInContentIsMarkup) {
  const std::string evil =
      "</pre></title></style><script>alert(1)</script><img src=x onerror=\"a\">'\x1b[2J\u202e&lt;";
  const std::string page = data_page(report_with(evil));
  const std::string plain = data_page(report_with("plain text"));
  // The same tags, whatever the text is.
  EXPECT_EQ(lmpo::testing::checked_tags(page.substr(page.find("<html"))),
            lmpo::testing::checked_tags(plain.substr(plain.find("<html"))));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\u202e")),
                          HasSubstr("&lt;script&gt;"), HasSubstr("\\x1b[2J\\u202e&amp;lt;")));
}

}  // namespace
}  // namespace lmpo::data_page_test

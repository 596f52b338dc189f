#include "inspect/column_text.h"

#include <gmock/gmock.h>

#include "inspect/terminal.h"

namespace lmpo::column_text_test {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines(std::string_view text, std::int64_t width, std::size_t piece) {
  ColumnText column(width);
  std::vector<std::string> all;
  const auto take = [&] {
    while (auto line = column.take_line()) {
      all.push_back(*line);
    }
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    column.add(text.substr(at, piece));
    take();
  }
  column.finish();
  take();
  return all;
}

TEST(ColumnText, BreaksBetweenWords) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
    EXPECT_THAT(lines("the wolf saw a cat", 9, piece), ElementsAre("the wolf", "saw a cat"));
    EXPECT_THAT(lines("one\n\ntwo\n", 9, piece), ElementsAre("one", "", "two"));
    EXPECT_THAT(lines("abcdefghijkl mn", 5, piece), ElementsAre("abcde", "fghij", "kl mn"));
    EXPECT_THAT(lines("", 5, 1), ElementsAre());
  }
}

TEST(ColumnText, WaitsForWhatMayStillCome) {
  ColumnText column(9);
  column.add("the wolf");
  EXPECT_EQ(column.take_line(), std::nullopt);
  column.add("hound saw");
  EXPECT_EQ(column.take_line(), "the");
  EXPECT_EQ(column.take_line(), "wolfhound");
  EXPECT_EQ(column.take_line(), std::nullopt);
}

TEST(ColumnText, IsNeverWiderThanTheColumn) {
  const std::string text =
      "wide \xE6\xBC\xA2\xE5\xAD\x97\xE6\xBC\xA2\xE5\xAD\x97 and \xC3\xA4\xC3\xB6\xC3\xBC";
  for (std::int64_t width = 2; width < 30; ++width) {
    for (const std::string& line : lines(text, width, text.size())) {
      EXPECT_LE(display_width(line), width) << line;
    }
  }
}

}  // namespace
}  // namespace lmpo::column_text_test
